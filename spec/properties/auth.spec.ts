import { AsyncLocalStorage } from 'node:async_hooks';
import axios, { AxiosError, AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attachWith } from '../../lib/full.ts';
import { OneAtATime } from '../support/limiter.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';

/** What happens besides the calls; when, is the scheduler's choice. */
const EVENTS = ['login A', 'login B', 'logout', 'expire', 'abort', 'call', 'cool down'] as const;
type Event = (typeof EVENTS)[number];

interface Call {
  readonly aborter: AbortController;
  /** Who was logged in when `token()` was last asked for this call. */
  asked: string | undefined;
  readonly sent: { readonly token: string | undefined; readonly asked: string | undefined }[];
  settled: boolean;
}

const ownerOf = (token: string | undefined) => token?.charAt(0);

/** Plays calls and events in an order of the scheduler's, and gives all that was seen. */
async function play(scheduler: fc.Scheduler, calls: number, events: readonly Event[], refreshes: readonly boolean[]) {
  const clock = new ManualClock();
  const limit = new OneAtATime();
  const caller = new AsyncLocalStorage<Call>();
  const made: Call[] = [];
  const valid = new Set<string>();
  const begun: string[] = [];
  const succeeded: string[] = [];
  const underWay = new Set<string>();
  let twiceAtOnce = false;
  let logins = 0;
  let user: string | undefined;
  let token: string | undefined;
  const login = (who: string) => {
    user = who;
    token = `${who}-login-${++logins}`;
  };
  login('A');

  const adapter = async (config: InternalAxiosRequestConfig) => {
    const call = caller.getStore() as Call;
    const carried = (config.headers.get('Authorization') as string | undefined)?.slice('Bearer '.length);
    call.sent.push({ token: carried, asked: call.asked });
    await scheduler.schedule(Promise.resolve(), 'arrives');
    const status = carried !== undefined && valid.has(carried) ? 200 : 401;
    await scheduler.schedule(Promise.resolve(), `answers ${status}`);
    const response = { status, statusText: '', headers: new AxiosHeaders(), config, data: '', request: {} };
    if (status === 200) return response;
    throw new AxiosError('401', AxiosError.ERR_BAD_REQUEST, config, {}, response);
  };
  const client = axios.create({ baseURL: 'https://api.example.com', adapter });
  const holdfast = attachWith({ clock, random: () => 0.5 }, client, {
    limit,
    auth: {
      token: () => {
        const call = caller.getStore();
        if (call !== undefined) call.asked = user;
        return token;
      },
      refresh: async ({ token: { value } }) => {
        const n = begun.push(value);
        if (underWay.has(value)) twiceAtOnce = true;
        underWay.add(value);
        await scheduler.schedule(Promise.resolve(), `refreshes ${value}`);
        underWay.delete(value);
        if (refreshes[(n - 1) % refreshes.length] === false) throw Object.assign(new Error('no'), { status: 400 });
        succeeded.push(value);
        const fresh = `${ownerOf(value)}-refreshed-${n}`;
        valid.add(fresh);
        return fresh;
      },
      retry: { retries: 0 },
    },
  });

  const start = () => {
    const call: Call = { aborter: new AbortController(), asked: undefined, sent: [], settled: false };
    made.push(call);
    const done = () => {
      call.settled = true;
    };
    caller.run(call, () => client.post('/x', {}, { signal: call.aborter.signal })).then(done, done);
  };
  const happen: { readonly [E in Event]: () => unknown } = {
    'login A': () => login('A'),
    'login B': () => login('B'),
    logout: () => {
      user = undefined;
      token = undefined;
    },
    expire: () => valid.clear(),
    abort: () => made.find(({ settled, aborter }) => !settled && !aborter.signal.aborted)?.aborter.abort(),
    call: start,
    'cool down': () => clock.advance(3_000),
  };

  for (let n = 0; n < calls; n++) start();
  // One after the other, so that they spread over the life of the calls.
  scheduler.scheduleSequence(events.map((label) => ({ label, builder: async () => void (await happen[label]()) })));
  for (let turns = 0; turns < 2_000; turns++) {
    await settle();
    if (scheduler.count() === 0) break;
    await scheduler.waitNext(1);
  }
  await settle();
  return { calls: made, limit, clock, holdfast, succeeded, twiceAtOnce };
}

describe('whatever the order of calls, answers, refreshes, logins, logouts and aborts', () => {
  it('the rules of the token hold', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.constantFrom(...EVENTS, 'call' as const), { maxLength: 12 }),
        fc.array(fc.constantFrom(true, true, false), { minLength: 1, maxLength: 4 }),
        async (scheduler, count, events, refreshes) => {
          const { calls, limit, clock, holdfast, succeeded, twiceAtOnce } = await play(
            scheduler,
            count,
            events,
            refreshes,
          );
          expect(
            calls.filter(({ settled }) => !settled),
            'every call settles',
          ).toEqual([]);
          expect(twiceAtOnce, 'one flight per token').toBe(false);
          expect(new Set(succeeded).size, 'one refresh per generation').toBe(succeeded.length);
          for (const { sent } of calls) {
            expect(sent.length, 'one replay per call').toBeLessThanOrEqual(2);
            // None after a logout, and never that of another user than the one who was asked about.
            for (const { token, asked } of sent) expect(ownerOf(token)).toBe(asked);
          }
          expect(limit.stats(), 'no permit is lost').toEqual({ queued: 0, running: 0 });
          expect(holdfast.stats()).toMatchObject({ inFlight: 0, waiting: 0, queued: 0 });
          expect(clock.pending, 'no timer is left').toBe(0);
        },
      ),
      { numRuns: 150 },
    );
  });
});
