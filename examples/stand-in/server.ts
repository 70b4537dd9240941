/** A real HTTP server on 127.0.0.1 that throttles as a family of APIs does, and answers what it is told to in between. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Asked, Family, Reply } from './family.ts';
import { gateOf } from './gate.ts';

export interface StandIn {
  readonly url: string;
  readonly seen: readonly Asked[];
  readonly counters: { readonly served: number; readonly refused: number };
  /** The next requests are answered with these, one after the other, and counted nowhere. */
  script(...replies: readonly Reply[]): void;
  close(): Promise<void>;
}

interface StandInOptions {
  /** ms; default `Date.now`. */
  readonly now?: () => number;
}

export async function startStandIn(family: Family, { now = Date.now }: StandInOptions = {}): Promise<StandIn> {
  const seen: Asked[] = [];
  const gate = gateOf(family, now);
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = 'GET', url = '/', headers } = request;
    const asked = { method, url, headers, body: Buffer.concat(chunks).toString() };
    seen.push(asked);
    const { status, headers: told, body } = gate.answer(asked);
    const isText = typeof body === 'string' || body === undefined;
    response.writeHead(status, {
      date: new Date(now()).toUTCString(),
      ...(!isText && { 'content-type': 'application/json' }),
      ...told,
    });
    response.end(isText ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    counters: gate.counters,
    script: gate.script,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
