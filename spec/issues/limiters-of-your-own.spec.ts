import axios from 'axios';
import { attach, failureOf, type Limiter, type Permit, type PermitRequest } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { ADAPTERS, attached, inTurn, rejectionOf, status } from '../support/attached.ts';

/** A semaphore, as one writes it: permits that can be handed back, and no more. */
class Semaphore implements Limiter {
  readonly paused: [key: string, untilAt: number][] = [];
  running = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  async acquire(_request: PermitRequest): Promise<Permit> {
    while (this.running >= this.#most) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.running += 1;
    return {
      release: () => {
        this.running -= 1;
        this.#waiting.shift()?.();
      },
    };
  }

  pause(key: string, untilAt: number): void {
    this.paused.push([key, untilAt]);
  }

  async close(): Promise<void> {}

  stats() {
    return { queued: this.#waiting.length, running: this.running };
  }
}

describe.each(ADAPTERS)('a limiter of your own, over %s', (adapter) => {
  it('whose permits cannot be told of an answer is told itself until when nothing may be sent', async () => {
    const limit = new Semaphore(1);
    const before = Date.now();
    const { client, server } = await attached(
      inTurn(status(429, { 'retry-after': '1' }), status(200)),
      { limit },
      { adapter },
    );
    await client.get('/');
    expect(limit.paused).toEqual([[server.url, expect.any(Number)]]);
    expect(limit.paused[0]?.[1]).toBeGreaterThanOrEqual(before + 1_000);
    expect(limit.running).toBe(0);
  });
});

describe('what is no permit', () => {
  // As other semaphores have it.
  it.each<[string, unknown, string]>([
    ['a function that hands back', () => {}, 'a function'],
    ['nothing', undefined, 'undefined'],
    ['an object that cannot be handed back', {}, 'an object'],
  ])('is told and not held for ever: %s', async (_what, given, said) => {
    for (const acquire of [() => given, async () => given]) {
      const limit = { acquire, pause: () => {}, close: async () => {}, stats: () => ({ queued: 0, running: 0 }) };
      const client = axios.create({ baseURL: 'http://127.0.0.1:1' });
      const holdfast = attach(client, { limit: limit as unknown as Limiter });
      const error = await rejectionOf(client.get('/'));
      expect(error).toBeInstanceOf(TypeError);
      expect((error as Error).message).toBe(`the limiter's acquire must give a permit, { release() }, got ${said}`);
      expect(failureOf(error)).toMatchObject({ sends: 0, endedBecause: 'limited' });
      expect(holdfast.stats()).toMatchObject({ queued: 0, inFlight: 0 });
    }
  });
});
