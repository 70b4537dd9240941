/** A real HTTP server on 127.0.0.1 that throttles as a family of APIs does, and answers what it is told to in between. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Asked, Family, Quota, Reply, Standing } from './family.ts';

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
  const counters = { served: 0, refused: 0 };
  const scripted: Reply[] = [];
  const meters = family.quotas.map((quota) => meterOf(quota, now));

  const reply = (asked: Asked): Reply => {
    const next = scripted.shift();
    if (next !== undefined) return next;
    const standings: Record<string, Standing> = {};
    let refusal: Reply | undefined;
    for (const [n, quota] of family.quotas.entries()) {
      const counted = meters[n]?.(asked);
      if (counted === undefined) continue;
      standings[quota.name] = counted.standing;
      if (counted.isRefused) refusal ??= quota.refuse(counted.standing);
    }
    counters[refusal === undefined ? 'served' : 'refused'] += 1;
    const { status, headers, body } = refusal ?? family.serve(asked, standings);
    return { status, headers: { ...family.headers?.(standings), ...headers }, body };
  };

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = 'GET', url = '/', headers } = request;
    const asked = { method, url, headers, body: Buffer.concat(chunks).toString() };
    seen.push(asked);
    const { status, headers: told, body } = reply(asked);
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
    counters,
    script: (...replies) => void scripted.push(...replies),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Meter = (asked: Asked) => { readonly standing: Standing; readonly isRefused: boolean } | undefined;

function meterOf({ kind, requests, perMs, key, cost }: Quota, now: () => number): Meter {
  const parts = new Map<string, { left: number; at: number }>();
  return (asked) => {
    const part = key === undefined ? '' : key(asked);
    if (part === false) return undefined;
    const at = now();
    const known = parts.get(part);
    const meter = known ?? { left: requests, at };
    parts.set(part, meter);
    if (kind === 'bucket') {
      meter.left = Math.min(requests, meter.left + ((at - meter.at) * requests) / perMs);
      meter.at = at;
    } else if (at >= meter.at + perMs) {
      Object.assign(meter, { left: requests, at });
    }
    const price = cost?.(asked) ?? 1;
    const isRefused = meter.left < price;
    if (!isRefused) meter.left -= price;
    const resetMs = kind === 'bucket' ? ((requests - meter.left) * perMs) / requests : meter.at + perMs - at;
    const dueMs = kind === 'bucket' ? ((price - meter.left) * perMs) / requests : resetMs;
    const waitMs = isRefused ? dueMs : 0;
    return {
      standing: { limit: requests, left: Math.floor(meter.left), resetMs, waitMs, resetAt: at + resetMs },
      isRefused,
    };
  };
}
