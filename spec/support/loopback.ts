import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** A request as the server saw it. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** Answers the n-th request (from 0). */
export type Answer = (request: Seen, response: http.ServerResponse, n: number) => void | Promise<void>;

/** A real HTTP server on 127.0.0.1 that remembers every request. */
export interface Loopback {
  readonly url: string;
  readonly seen: readonly Seen[];
  /** Sockets that are open now. */
  readonly sockets: ReadonlySet<Socket>;
  /** Sockets that were ever opened. */
  readonly connections: number;
  close(): Promise<void>;
}

export async function loopback(answer: Answer): Promise<Loopback> {
  const seen: Seen[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  // A busy machine must not come too late to a connection that waits, nor wait for more of them than the system lets wait by default.
  const server = http.createServer({ keepAliveTimeout: 240_000 }, async (request, response) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return; // the client went away
    }
    const { method = '', url = '', headers, rawHeaders } = request;
    const n = seen.push({ method, url, headers, rawHeaders, body: Buffer.concat(chunks) }) - 1;
    await answer(seen[n] as Seen, response, n);
  });
  server.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    sockets,
    get connections() {
      return connections;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Answers with JSON. */
export function json(
  response: http.ServerResponse,
  status: number,
  body: unknown = {},
  headers: http.OutgoingHttpHeaders = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
