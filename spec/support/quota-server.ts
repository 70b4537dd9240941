import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** What the server is to be; `benchmarks/quota-server/options.js` has the defaults and says what each means. */
export interface QuotaServerOptions {
  readonly kind?: 'bucket' | 'nginx' | 'sliding' | 'fixed' | 'express';
  readonly requests?: number;
  readonly perMs?: number;
  readonly burst?: number;
  /** Least and most, in ms. */
  readonly latencyMs?: readonly [number, number];
  /** One way; least and most, in ms. */
  readonly travelMs?: readonly [number, number];
  readonly headers?: 'none' | 'retry-after' | 'x-ratelimit' | 'draft8';
  /** The share of the quota that somebody else asks for. */
  readonly stranger?: number;
  readonly inFlightMs?: number;
}

export interface Counted {
  readonly admitted: number;
  readonly refused: number;
}

export interface ClientCounts extends Counted {
  /** Requests that came before a time that had been named to this very client. */
  readonly pauseViolations: number;
}

export interface QuotaStats extends Counted {
  readonly options: Required<QuotaServerOptions>;
  /** Since the reset. */
  readonly atMs: number;
  /** Requests that came before a time that had been named to anybody. */
  readonly pauseViolations: number;
  readonly stranger: Counted;
  /** By the value of `X-Client`. */
  readonly clients: Readonly<Record<string, ClientCounts>>;
  /** One for each second since the reset. */
  readonly seconds: readonly Counted[];
}

/** A real HTTP server with a quota, in a process of its own. */
export interface QuotaServer {
  readonly url: string;
  stats(): Promise<QuotaStats>;
  /** Counts and quota start afresh, with other options if there are any. */
  reset(options?: QuotaServerOptions): Promise<void>;
  /** Changes the quota while it runs. */
  change(quota: Pick<QuotaServerOptions, 'requests' | 'perMs' | 'burst'>): Promise<void>;
  close(): Promise<void>;
}

export async function quotaServer(options: QuotaServerOptions = {}): Promise<QuotaServer> {
  const command = fileURLToPath(new URL('../../benchmarks/quota-server/main.js', import.meta.url));
  // Its stdin is the leash: it is closed when this process goes, and the server goes as well.
  const server = spawn(process.execPath, [command], { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = once(server, 'exit');
  const url = await listening(server);

  const post = async (path: string, body: object) => {
    const answer = await fetch(`${url}${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(await answer.text());
    await answer.text();
  };
  const reset = (changed: QuotaServerOptions = {}) => post('/reset', changed);
  const close = async () => {
    server.kill();
    await gone;
  };
  try {
    await reset(options);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url,
    stats: async () => (await (await fetch(`${url}/stats`)).json()) as QuotaStats,
    reset,
    change: (quota) => post('/quota', quota),
    close,
  };
}

async function listening(server: ChildProcess): Promise<string> {
  if (server.stdout === null) throw new Error('the quota server has no stdout');
  const ended = once(server, 'exit').then(([code]) => {
    throw new Error(`the quota server ended with code ${code}`);
  });
  const [line] = await Promise.race([once(createInterface(server.stdout), 'line'), ended]);
  ended.catch(() => {});
  return (JSON.parse(line) as { url: string }).url;
}
