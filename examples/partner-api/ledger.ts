/** What the server saw: counters, and a log of the latest requests. */

import type { ApiRequest } from './request.ts';

export interface Traffic {
  requests: number;
  /** Requests whose connection ended before a status line was sent are in no status. */
  byStatus: Record<number, number>;
  /** By method and template, as in `GET /v1/customers/{customer}`. */
  byRoute: Record<string, number>;
  byRequestId: Record<string, number>;
  /** Requests that carried an `MS-RequestId` already seen. */
  repeatedRequestIds: number;
}

export interface LogEntry {
  readonly at: number;
  readonly method: string;
  /** As sent, without the query. */
  readonly path: string;
  readonly query: string;
  /** Those that steer the exchange, in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyLength: number;
  readonly bodyHash: string;
  /** Null as long as no status line was sent. */
  status: number | null;
}

export interface Ledger {
  readonly traffic: Traffic;
  readonly log: LogEntry[];
  arrived(request: ApiRequest, route: string): LogEntry;
  answered(entry: LogEntry, status: number): void;
  reset(): void;
}

const LOGGED_HEADERS = [
  'authorization',
  'content-type',
  'if-match',
  'idempotency-key',
  'ms-requestid',
  'ms-correlationid',
  'ms-contract-version',
  'client-request-id',
  'request-id',
];

export function createLedger({ logSize, now }: { logSize: number; now: () => number }): Ledger {
  let traffic = noTraffic();
  let log: LogEntry[] = [];

  return {
    get traffic() {
      return traffic;
    },
    get log() {
      return log;
    },
    arrived(request, route) {
      const { method, path, query, requestId, bodyLength, bodyHash } = request;
      traffic.requests += 1;
      increment(traffic.byRoute, route);
      if (requestId && increment(traffic.byRequestId, requestId) > 1) traffic.repeatedRequestIds += 1;

      const headers = Object.fromEntries(LOGGED_HEADERS.flatMap((name) => nameAndValue(name, request.header(name))));
      const entry = { at: now(), method, path, query: `${query}`, headers, bodyLength, bodyHash, status: null };
      log.push(entry);
      if (log.length > logSize) log.shift();
      return entry;
    },
    answered(entry, status) {
      entry.status = status;
      increment(traffic.byStatus, status);
    },
    reset() {
      traffic = noTraffic();
      log = [];
    },
  };
}

/** Ids come from clients: without a prototype, one called `constructor` starts at zero like any other. */
function noTraffic(): Traffic {
  const none = () => Object.create(null);
  return { requests: 0, byStatus: none(), byRoute: none(), byRequestId: none(), repeatedRequestIds: 0 };
}

function increment(counts: Record<string, number>, key: string | number): number {
  const count = (counts[key] ?? 0) + 1;
  counts[key] = count;
  return count;
}

function nameAndValue(name: string, value: string | undefined): [string, string][] {
  return value === undefined ? [] : [[name, value]];
}
