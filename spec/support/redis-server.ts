import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { closedPort } from './closed-port.ts';

/** A real redis-server on a free port of 127.0.0.1, which keeps nothing on disk. */
export interface RedisServer {
  readonly port: number;
  /** Kills it, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on the same port, empty. */
  start(): Promise<void>;
  /** Stops it in its tracks: connections stay, answers stop. */
  stall(): void;
  resume(): void;
  /** Makes it forget everything, its scripts too. */
  flush(): Promise<void>;
}

/** Why the specs that need Redis are skipped; `undefined` where they are not. Never in CI: there its lack is a failure. */
export const noRedis: string | undefined = whyNot();

/** @param more options of redis-server, as `['--requirepass', 'secret']` */
export async function redisServer(more: readonly string[] = []): Promise<RedisServer> {
  if (noRedis !== undefined) throw new Error(noRedis);
  const port = await closedPort();
  // A replica writes down what it is sent, and whoever starts in the same place would find that.
  const folder = join(tmpdir(), `redis-${process.pid}-${port}`);
  let server: ChildProcess | undefined;
  const kill = async () => {
    if (server !== undefined && server.exitCode === null && server.signalCode === null) {
      const gone = once(server, 'exit');
      server.kill('SIGKILL');
      await gone;
    }
    await rm(folder, { recursive: true, force: true });
  };
  const start = async () => {
    await mkdir(folder, { recursive: true });
    const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
    server = spawn(command(), [...options, ...more], { stdio: 'ignore' });
    try {
      await answering(port);
    } catch (error) {
      await kill();
      throw error;
    }
  };
  await start();
  return {
    port,
    start,
    kill,
    stall: () => server?.kill('SIGSTOP'),
    resume: () => server?.kill('SIGCONT'),
    flush: async () => {
      const redis = redisClient(port);
      await redis.flushall();
      await redis.script('FLUSH');
      redis.disconnect();
    },
  };
}

/** A client that goes on trying, and whose lack of a server is nobody's error. */
export function redisClient(port: number): Redis {
  const redis = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 100 });
  redis.on('error', () => {});
  return redis;
}

function whyNot(): string | undefined {
  try {
    command();
    return undefined;
  } catch {
    const reason = 'there is no redis-server in /usr/bin or on the PATH';
    if (process.env.CI) throw new Error(`${reason}, and in CI there has to be one`);
    console.warn(`skipped: ${reason}`);
    return reason;
  }
}

function command(): string {
  for (const candidate of ['/usr/bin/redis-server', 'redis-server']) {
    try {
      execFileSync(candidate, ['--version'], { stdio: 'ignore' });
      return candidate;
    } catch {
      // The next.
    }
  }
  throw new Error('no redis-server');
}

async function answering(port: number): Promise<void> {
  const redis = redisClient(port);
  try {
    for (const until = Date.now() + 60_000; ; ) {
      const answer = await Promise.race([
        redis.ping().catch(({ message }: Error) => (/^(?:NOAUTH|NOPERM)/.test(message) ? message : '')),
        after(500, ''),
      ]);
      if (answer !== '') return;
      if (Date.now() > until) throw new Error('redis-server does not answer');
      await after(50);
    }
  } finally {
    redis.disconnect();
  }
}
