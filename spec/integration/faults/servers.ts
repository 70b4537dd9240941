import net, { type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A request as it came over the wire. */
export interface Parsed {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Empty until the whole of it has come. */
  body: string;
}

/** One request, and the hand that answers it byte by byte. */
export interface Exchange {
  readonly socket: Socket;
  readonly request: Parsed;
  /** Answers as HTTP wants it; the connection can be used again. */
  answer(status: number, body?: string, headers?: Readonly<Record<string, string>>): void;
  /** Sends what ends where it says that it ends, whatever is in it; the connection can be used again. */
  send(bytes: string | Buffer): void;
}

/** What goes wrong, and when: as soon as the connection is there, after the head of a request, or after the whole of it. */
export type Fault =
  | { readonly at: 'accept'; readonly does: (socket: Socket) => void }
  | { readonly at: 'head' | 'request'; readonly does: (exchange: Exchange) => void };

/** What a server answers when nothing goes wrong. */
export const WHOLE = 'whole';

/** What nothing ever goes wrong with: for a connection that the pool then holds. */
export const WARM = '/warm';

/** A server below HTTP, so that it can break HTTP. */
export interface RawServer {
  readonly url: string;
  readonly port: number;
  /** Requests whose head was parsed. */
  readonly seen: readonly Parsed[];
  /** Connections that were ever accepted. */
  readonly connections: number;
  /** Connections that are open now. */
  readonly open: ReadonlySet<Socket>;
  /** Those of them on which a request has not been answered whole. Who has given it up must have closed them. */
  readonly unanswered: ReadonlySet<Socket>;
  /** Stops listening and drops every connection. */
  close(): Promise<void>;
}

/** Has things go wrong so many times, and answers `whole` to everything else. Closed when the test ends. */
export async function rawServer(fault: Fault | undefined, times: number, port = 0): Promise<RawServer> {
  const seen: Parsed[] = [];
  const open = new Set<Socket>();
  const unanswered = new Set<Socket>();
  let connections = 0;
  let left = times;
  const goesWrong = (at: Fault['at']): boolean => {
    if (fault?.at !== at || left === 0) return false;
    left -= 1;
    return true;
  };
  const server = net.createServer((socket) => {
    connections += 1;
    open.add(socket);
    socket.on('close', () => {
      open.delete(socket);
      unanswered.delete(socket);
    });
    socket.on('error', () => {}); // the client went away
    if (fault?.at === 'accept' && goesWrong('accept')) return fault.does(socket.resume());
    let broken = false;
    parse(socket, {
      head(request) {
        seen.push(request);
        unanswered.add(socket);
        broken = fault?.at === 'head' && request.url !== WARM && goesWrong('head');
        if (broken && fault?.at === 'head') fault.does(exchange(socket, request));
      },
      body(request) {
        if (broken) return;
        const wrong = fault?.at === 'request' && request.url !== WARM && goesWrong('request');
        if (wrong) fault.does(exchange(socket, request));
        else exchange(socket, request).answer(200, WHOLE);
      },
    });
  });
  const exchange = (socket: Socket, request: Parsed): Exchange => {
    const send = (bytes: string | Buffer) => {
      socket.write(bytes);
      unanswered.delete(socket);
    };
    const answer: Exchange['answer'] = (status, body = '', headers = {}) =>
      send(message(status, { 'Content-Length': String(Buffer.byteLength(body)), ...headers }, body));
    return { socket, request, send, answer };
  };
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of open) socket.destroy();
    });
  onTestFinished(() => close());
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    seen,
    open,
    unanswered,
    get connections() {
      return connections;
    },
    close,
  };
}

/** An answer as it goes over the wire. */
export function message(status: number, headers: Readonly<Record<string, string>> = {}, body = ''): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Status\r\n${lines.join('')}\r\n${body}`;
}

/** Reads requests, one after the other, as far as the clients of these specs send them. */
function parse(socket: Socket, on: { head(request: Parsed): void; body(request: Parsed): void }): void {
  let buffer = '';
  let request: Parsed | undefined;
  socket.setEncoding('latin1').on('data', (data) => {
    buffer += data;
    for (;;) {
      if (request === undefined) {
        const end = buffer.indexOf('\r\n\r\n');
        if (end < 0) return;
        request = headOf(buffer.slice(0, end));
        buffer = buffer.slice(end + 4);
        on.head(request);
      }
      const body = bodyOf(request, buffer);
      if (body === undefined) return;
      buffer = buffer.slice(body.length);
      request.body = body.text;
      on.body(request);
      request = undefined;
    }
  });
}

function headOf(head: string): Parsed {
  const [start = '', ...lines] = head.split('\r\n');
  const [method = '', url = ''] = start.split(' ');
  const fields = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return { method, url, headers: Object.fromEntries(fields), body: '' };
}

/** The body at the beginning of the buffer, and how much of the buffer it takes; `undefined` until it is all there. */
function bodyOf({ headers }: Parsed, buffer: string): { text: string; length: number } | undefined {
  if (headers['transfer-encoding'] !== 'chunked') {
    const length = Number(headers['content-length'] ?? 0);
    return buffer.length < length ? undefined : { text: buffer.slice(0, length), length };
  }
  let text = '';
  for (let at = 0; ; ) {
    const line = buffer.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(buffer.slice(at, line), 16);
    const next = line + 2 + size + 2;
    if (buffer.length < next) return undefined;
    text += buffer.slice(line + 2, line + 2 + size);
    if (size === 0) return { text, length: next };
    at = next;
  }
}
