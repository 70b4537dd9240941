import { getEventListeners } from 'node:events';
import { PassThrough } from 'node:stream';
import axios, { type AxiosAdapter, AxiosError, type AxiosRequestConfig } from 'axios';
import { failureOf, reportOf } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import type { Limiter, Permit } from '../../lib/limit/limiter.ts';
import type { Policy } from '../../lib/policy/options.ts';
import { ADAPTERS, inTurn, rejectionOf, status } from '../support/attached.ts';
import { type ByHand, byHand, next, runThrough, until } from '../support/by-hand.ts';
import { reset, silent } from '../support/faults.ts';
import type { Answer } from '../support/loopback.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';
import { unhandledDuring } from '../support/unhandled.ts';

/** A caller's way to give up, what the call is given for it, and the listeners that are left on it. */
interface Means {
  readonly config: AxiosRequestConfig;
  /** With a signal, axios' adapters have a word of their own each. */
  readonly message: RegExp;
  giveUp(): void;
  listeners(): number;
}

const bySignal = (): Means => {
  const controller = new AbortController();
  return {
    config: { signal: controller.signal },
    message: /^(canceled|This operation was aborted)$/,
    giveUp: () => controller.abort(),
    listeners: () => getEventListeners(controller.signal, 'abort').length,
  };
};

const byToken = (): Means => {
  const { token, cancel } = axios.CancelToken.source();
  return {
    config: { cancelToken: token },
    message: /^the user has left$/,
    giveUp: () => cancel('the user has left'),
    listeners: () => (token as unknown as { _listeners?: unknown[] | null })._listeners?.length ?? 0,
  };
};

const MEANS = [
  ['a signal', bySignal],
  ['a CancelToken', byToken],
] as const;

const IDLE = { inFlight: 0, waiting: 0, queued: 0 };

const dripping: Answer = (_request, response) => {
  response.writeHead(200);
  const drip = setInterval(() => response.write(' '), 1);
  response.on('close', () => clearInterval(drip));
};

/** A clock that does something in the very turn in which a timer fires, after it. */
class EagerClock extends ManualClock {
  afterEach = () => {};

  override after(ms: number, fire: () => void): () => void {
    return super.after(ms, () => {
      fire();
      this.afterEach();
    });
  }
}

/** A limiter whose permits come when the test gives them. */
class ByTheTest implements Limiter {
  readonly waiting: ((permit: Permit) => void)[] = [];
  released = 0;

  acquire(): Promise<Permit> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  grant(): void {
    this.waiting.shift()?.({
      release: () => {
        this.released += 1;
      },
    });
  }

  pause(): void {}
  async close(): Promise<void> {}
  stats() {
    return { queued: this.waiting.length, running: 0 };
  }
}

describe.each(MEANS)('giving a call up by %s', (_, means) => {
  describe.each(ADAPTERS)('with the %s adapter', (adapter) => {
    interface Setting {
      readonly answer?: Answer;
      readonly policy?: Policy;
      /** Before the call is made. */
      readonly before?: (setting: Given) => void;
      /** While it is under way. */
      readonly when?: (setting: Given) => Promise<void>;
    }

    type Given = ByHand<EagerClock> & { readonly giveUp: () => void };

    /** Makes a call, gives it up, and checks all that must hold whenever that happens. */
    async function givenUp({ answer = status(200), policy = {}, before, when }: Setting) {
      const { config, message, giveUp, listeners } = means();
      const setting = await byHand(answer, policy, { adapter }, { clock: new EagerClock() });
      const { client, clock, holdfast, server } = setting;
      let error: unknown;
      const unhandled = await unhandledDuring(async () => {
        before?.({ ...setting, giveUp });
        const call = rejectionOf(client.get('/', config));
        await when?.({ ...setting, giveUp });
        error = await call;
      });
      expect(axios.isCancel(error)).toBe(true);
      expect(error).toMatchObject({
        name: 'CanceledError',
        code: 'ERR_CANCELED',
        message: expect.stringMatching(message),
      });
      expect(unhandled).toEqual([]);
      expect(clock.pending).toBe(0);
      expect(listeners()).toBe(0);
      expect(holdfast.stats()).toMatchObject(IDLE);
      const sends = server.seen.length;
      await clock.advance(3_600_000);
      expect(server.seen).toHaveLength(sends);
      return { ...setting, error, sends };
    }

    it('before it begins sends nothing', async () => {
      const { config, message, giveUp } = means();
      const { server, client, clock } = await byHand(status(200), {}, { adapter });
      giveUp();
      const error = await rejectionOf(client.get('/', config));
      expect(axios.isCancel(error)).toBe(true);
      expect(error).toMatchObject({ code: 'ERR_CANCELED', message: expect.stringMatching(message) });
      expect(server.seen).toHaveLength(0);
      expect(clock.pending).toBe(0);
    });

    it.each([
      ['silent', silent, {}],
      ['dripping', dripping, {}],
      ['silent, under a deadline', silent, { deadlineMs: 60_000 }],
      ['dripping, under a deadline', dripping, { deadlineMs: 60_000 }],
    ] as const)('during a send closes its connection: the server is %s', async (_name, answer, policy) => {
      let sockets: { readonly destroyed: boolean }[] = [];
      const { error } = await givenUp({
        answer,
        policy,
        when: async ({ server, giveUp }) => {
          await until(() => server.seen.length === 1);
          sockets = [...server.sockets];
          giveUp();
        },
      });
      await until(() => sockets.every(({ destroyed }) => destroyed));
      expect(failureOf(error)).toMatchObject({ kind: 'cancelled', endedBecause: 'cancelled', sends: 1 });
    });

    it('during a later send sends nothing more', async () => {
      const { error, sends } = await givenUp({
        answer: inTurn(status(503), status(503), silent),
        when: async (setting) => {
          runThrough(setting);
          await until(() => setting.server.seen.length === 3);
          setting.giveUp();
        },
      });
      expect(sends).toBe(3);
      expect(failureOf(error)).toMatchObject({ endedBecause: 'cancelled', sends: 3 });
    });

    it('during a wait ends it at once', async () => {
      const { error, sends } = await givenUp({
        answer: status(503, { 'retry-after': '30' }),
        when: async ({ clock, holdfast, giveUp }) => {
          await next(holdfast, 'retry-scheduled');
          await clock.advance(10_000);
          giveUp();
        },
      });
      expect(sends).toBe(1);
      expect(failureOf(error)).toMatchObject({
        kind: 'cancelled',
        endedBecause: 'cancelled',
        sends: 1,
        waitedMs: 10_000,
        elapsedMs: 10_000,
      });
      expect(reportOf(error)?.sends).toHaveLength(1);
    });

    it('during beforeSend does not wait for it', async () => {
      const { sends } = await givenUp({
        policy: { beforeSend: () => new Promise(() => {}) },
        when: async ({ giveUp }) => {
          await settle();
          giveUp();
        },
      });
      expect(sends).toBe(0);
    });

    it('during beforeSend of a retry does not wait for it', async () => {
      let preparing = 0;
      const { sends } = await givenUp({
        answer: status(503),
        policy: {
          beforeSend: ({ send }) => {
            preparing = send;
            return send === 1 ? undefined : new Promise(() => {});
          },
        },
        before: runThrough,
        when: async ({ giveUp }) => {
          await until(() => preparing === 2);
          giveUp();
        },
      });
      expect(sends).toBe(1);
    });

    it("in the limiter's queue gives the place up, and a late permit back", async () => {
      const limit = new ByTheTest();
      const { sends } = await givenUp({
        policy: { limit },
        when: async ({ giveUp }) => {
          await settle();
          giveUp();
        },
      });
      expect(sends).toBe(0);
      limit.grant();
      await settle();
      expect(limit.released).toBe(1);
    });

    it('in the turn in which the permit comes sends nothing', async () => {
      for (const order of ['permit first', 'given up first']) {
        const limit = new ByTheTest();
        const { sends } = await givenUp({
          policy: { limit },
          when: async ({ giveUp }) => {
            await settle();
            if (order === 'permit first') limit.grant();
            giveUp();
            limit.grant();
          },
        });
        expect(sends).toBe(0);
        await settle();
        expect(limit.released).toBe(1);
      }
    });

    it('a microtask after the permit has come sends nothing', async () => {
      for (let turns = 0; turns < 8; turns++) {
        const limit = new ByTheTest();
        const { server, client, holdfast } = await byHand(silent, { limit }, { adapter });
        const { config, giveUp } = means();
        const call = rejectionOf(client.get('/', config));
        await settle();
        limit.grant();
        for (let turn = 0; turn < turns; turn++) await undefined;
        const left = holdfast.stats().sends;
        giveUp();
        expect(axios.isCancel(await call)).toBe(true);
        await settle();
        // What had left by then had left; nothing may leave afterwards.
        expect(holdfast.stats().sends).toBe(left);
        expect(limit.released).toBe(1);
        expect(server.seen.length).toBeLessThanOrEqual(left);
      }
    });

    it('in the turn in which the wait ends sends nothing more', async () => {
      const { sends } = await givenUp({
        answer: status(503, { 'retry-after': '30' }),
        when: async ({ clock, holdfast, giveUp }) => {
          await next(holdfast, 'retry-scheduled');
          clock.afterEach = giveUp;
          await clock.advance(30_000);
        },
      });
      expect(sends).toBe(1);
    });

    it.each(['sent', 'answered', 'retry-scheduled'] as const)(
      'while %s is being told sends nothing more',
      async (name) => {
        const { error } = await givenUp({
          answer: status(503),
          before: ({ holdfast, giveUp }) => {
            const stop = holdfast.on(name, () => {
              stop();
              giveUp();
            });
          },
        });
        expect(failureOf(error)).toMatchObject({ kind: 'cancelled', endedBecause: 'cancelled', sends: 1 });
      },
    );

    it.each([
      ['beforeSend', (giveUp: () => void): Policy => ({ beforeSend: () => giveUp() }), 0],
      ['a judge', (giveUp: () => void): Policy => ({ classify: () => void giveUp() }), 1],
      ['the backoff', (giveUp: () => void): Policy => ({ retry: { backoff: () => Number(giveUp()) } }), 1],
    ] as const)('from within %s sends nothing more', async (_name, policyOf, expected) => {
      let giveUp = () => {};
      const { sends } = await givenUp({
        answer: status(503),
        policy: policyOf(() => giveUp()),
        before: (setting) => {
          giveUp = setting.giveUp;
        },
      });
      expect(sends).toBe(expected);
    });

    it('when the answer is there already is what the books say as well', async () => {
      for (const code of [200, 404]) {
        const { error, holdfast } = await givenUp({
          answer: status(code),
          before: ({ holdfast, giveUp }) => {
            holdfast.on('answered', giveUp);
          },
        });
        expect(failureOf(error)).toMatchObject({ kind: 'cancelled', endedBecause: 'cancelled', sends: 1 });
        expect(reportOf(error)?.endedBecause).toBe('cancelled');
        expect(holdfast.stats().sends).toBe(1);
      }
    });

    it('leaves no listener after a success or a failure either', async () => {
      const answers = [status(200), status(404), status(503, { 'retry-after': '900' }), reset];
      for (const answer of answers) {
        for (const policy of [{}, { deadlineMs: 60_000 }, { retry: { maxRetries: 2 } }] as Policy[]) {
          const { config, listeners } = means();
          const setting = await byHand(answer, policy, { adapter });
          runThrough(setting);
          await setting.client.get('/', config).catch(() => {});
          await settle();
          expect(listeners()).toBe(0);
          expect(setting.clock.pending).toBe(0);
        }
      }
    });
  });

  describe('with an adapter function that is deaf to it', () => {
    it('does not wait for the function, and gets rid of its late answer', async () => {
      const body = new PassThrough();
      let answer = () => {};
      const deaf: AxiosAdapter = (config) =>
        new Promise((resolve) => {
          answer = () => resolve({ status: 200, statusText: '', data: body, headers: {}, config });
        });
      for (const deadlineMs of [undefined, 60_000]) {
        const { config, giveUp, listeners, message } = means();
        const { client, clock, holdfast } = await byHand(silent, { deadlineMs }, { adapter: deaf });
        const call = rejectionOf(client.get('/', config));
        await settle();
        giveUp();
        const error = await call;
        expect(error).toMatchObject({ code: 'ERR_CANCELED', message: expect.stringMatching(message) });
        expect(axios.isCancel(error)).toBe(true);
        expect(failureOf(error)).toMatchObject({ kind: 'cancelled', endedBecause: 'cancelled', sends: 1 });
        answer();
        await settle();
        expect(body.destroyed).toBe(true);
        expect([clock.pending, listeners()]).toEqual([0, 0]);
        expect(holdfast.stats()).toMatchObject(IDLE);
      }
    });

    it('does not call the function where a listener gives up as the send is being told', async () => {
      const { config, giveUp, listeners, message } = means();
      let called = 0;
      const deaf: AxiosAdapter = () => {
        called += 1;
        return new Promise(() => {});
      };
      const { client, clock, holdfast } = await byHand(silent, {}, { adapter: deaf });
      holdfast.on('sent', giveUp);
      const error = await rejectionOf(client.get('/', config));
      expect(error).toMatchObject({ code: 'ERR_CANCELED', message: expect.stringMatching(message) });
      expect(called).toBe(0);
      expect([clock.pending, listeners()]).toEqual([0, 0]);
      expect(holdfast.stats()).toMatchObject(IDLE);
    });

    it('is what the books say where the function fails in the same turn', async () => {
      const { config, giveUp, message } = means();
      const failing: AxiosAdapter = async (sent) => {
        giveUp();
        throw new AxiosError('no', 'ECONNRESET', sent);
      };
      const { client } = await byHand(silent, {}, { adapter: failing });
      const error = await rejectionOf(client.get('/', config));
      expect(error).toMatchObject({ code: 'ERR_CANCELED', message: expect.stringMatching(message) });
      expect(failureOf(error)).toMatchObject({ kind: 'cancelled', endedBecause: 'cancelled', sends: 1 });
    });
  });

  it('ends every call that it was given to', async () => {
    const { config, giveUp, listeners } = means();
    const setting = await byHand(status(503, { 'retry-after': '30' }), { retry: { budget: false } });
    const { client, clock, holdfast } = setting;
    const calls = Array.from({ length: 10 }, () => rejectionOf(client.get('/', config)));
    await until(() => holdfast.stats().waiting === 10);
    giveUp();
    const errors = await Promise.all(calls);
    expect(errors.every((error) => axios.isCancel(error))).toBe(true);
    expect([clock.pending, listeners()]).toEqual([0, 0]);
  });

  describe('whose life is long', () => {
    const answers: AxiosAdapter = async (sent) => {
      const code = sent.url === '/well' ? 200 : 503;
      const response = { status: code, statusText: '', data: '', headers: {}, config: sent };
      if (code === 200) return response;
      throw new AxiosError('503', 'ERR_BAD_RESPONSE', sent, undefined, response);
    };

    it('leaves no trace of a thousand calls', async () => {
      const warnings: Error[] = [];
      const note = (warning: Error) => warnings.push(warning);
      process.on('warning', note);
      const { config, listeners } = means();
      for (const deadlineMs of [undefined, 1e9]) {
        const setting = await byHand(silent, { retry: { budget: false }, deadlineMs }, { adapter: answers });
        const delays = runThrough(setting);
        for (let i = 0; i < 1_000; i++) {
          await setting.client.get(i % 10 === 0 ? '/ill' : '/well', config).catch(() => {});
        }
        expect(delays).toHaveLength(300);
        expect([setting.clock.pending, listeners()]).toEqual([0, 0]);
      }
      await settle();
      process.off('warning', note);
      expect(warnings).toEqual([]);
    });

    it('leaves no trace of a thousand calls over real connections', async () => {
      const { config, listeners } = means();
      for (const adapter of ADAPTERS) {
        const setting = await byHand((_request, response) => void response.end(), {}, { adapter });
        for (let i = 0; i < 500; i++) await setting.client.get('/', config);
        await settle();
        expect([setting.clock.pending, listeners()]).toEqual([0, 0]);
      }
    });
  });
});

describe('a signal of the time', () => {
  it('ends the call and is not taken for a timeout that may be retried', async () => {
    for (const adapter of ADAPTERS) {
      const { server, client } = await byHand(silent, {}, { adapter });
      const error = await rejectionOf(client.get('/', { signal: AbortSignal.timeout(20) }));
      expect(error).toMatchObject({ code: 'ERR_CANCELED' });
      expect(failureOf(error)).toMatchObject({ kind: 'cancelled', endedBecause: 'cancelled' });
      expect(server.seen.length).toBeLessThanOrEqual(1);
    }
  });
});

describe('a signal and a CancelToken on one call', () => {
  it('each end it', async () => {
    for (const which of [0, 1]) {
      const both = [bySignal(), byToken()] as const;
      const config = { ...both[0].config, ...both[1].config };
      const { client, clock, holdfast } = await byHand(status(503, { 'retry-after': '30' }));
      const scheduled = next(holdfast, 'retry-scheduled');
      const call = rejectionOf(client.get('/', config));
      await scheduled;
      both[which]?.giveUp();
      expect(await call).toMatchObject({
        code: 'ERR_CANCELED',
        message: expect.stringMatching(both[which]?.message as RegExp),
      });
      expect([clock.pending, both[0].listeners(), both[1].listeners()]).toEqual([0, 0, 0]);
    }
  });
});
