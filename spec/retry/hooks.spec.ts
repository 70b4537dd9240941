import { AxiosError, AxiosHeaders } from 'axios';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../lib/call/outcome.ts';
import { endedSend, runHooks } from '../../lib/retry/hooks.ts';
import { underWay } from '../support/under-way.ts';

const LOST: Outcome = { error: new AxiosError('lost', 'ECONNRESET') };

function setUp(config: object = {}, deadlineMs?: number) {
  return underWay(
    { url: 'https://api.example.com/', headers: new AxiosHeaders(), ...config },
    { ...(deadlineMs !== undefined && { deadlineMs }) },
  );
}

const throwing = (thrown: unknown) => () => {
  throw thrown;
};

describe(runHooks.name, () => {
  it('runs them one after the other, each with the same argument', async () => {
    const { call, clock } = setUp();
    const log: unknown[] = [];
    const argument = {};
    const hooks = [
      async (given: object) => {
        await Promise.resolve();
        log.push(['one', given === argument]);
      },
      (given: object) => void log.push(['two', given === argument]),
    ];
    expect(await runHooks(hooks, argument, call, clock)).toBe('done');
    expect(log).toEqual([
      ['one', true],
      ['two', true],
    ]);
  });

  it('waits for them no longer than the call may last', async () => {
    const { call, clock } = setUp({}, 1_000);
    const ran = runHooks([() => new Promise(() => {})], {}, call, clock);
    await clock.advance(1_000);
    expect(await ran).toBe('timeout');
  });

  it('waits no longer once the call is given up', async () => {
    const controller = new AbortController();
    const { call, clock } = setUp({ signal: controller.signal });
    const ran = runHooks([() => new Promise(() => {})], {}, call, clock);
    controller.abort();
    expect(await ran).toBe('cancelled');
  });

  it('passes on what one throws, with the last error for its cause, and asks no further', async () => {
    const { call, clock } = setUp();
    call.outcome = LOST;
    const mine = new Error('mine');
    let asked = 0;
    await expect(runHooks([throwing(mine), () => asked++], {}, call, clock)).rejects.toBe(mine);
    expect(mine.cause).toBe(LOST.error);
    expect(Object.keys(mine)).toEqual([]);
    expect(asked).toBe(0);
  });

  it.each<[string, unknown, unknown]>([
    ['has a cause already', new Error('mine', { cause: 'why' }), 'why'],
    ['is the last error itself', LOST.error, undefined],
    ['is frozen', Object.freeze(new Error('mine')), undefined],
    ['is no error', 'mine', undefined],
    ['is nothing', undefined, undefined],
  ])('leaves it as it is where it %s', async (_, thrown, cause) => {
    const { call, clock } = setUp();
    call.outcome = LOST;
    await expect(runHooks([throwing(thrown)], {}, call, clock)).rejects.toBe(thrown);
    expect((thrown as { cause?: unknown } | undefined)?.cause).toBe(cause);
  });

  it('gives no cause where nothing failed', async () => {
    const { call, clock } = setUp();
    for (const outcome of [undefined, { response: { status: 200 } } as never]) {
      call.outcome = outcome;
      const mine = new Error('mine');
      await expect(runHooks([throwing(mine)], {}, call, clock)).rejects.toBe(mine);
      expect('cause' in mine).toBe(false);
    }
  });
});

describe(endedSend.name, () => {
  it('is what is known of the last send', () => {
    const { call } = setUp();
    call.sent = 2;
    call.verdict = { kind: 'transient' };
    const response = { status: 503 };
    const error = new AxiosError('no', undefined, undefined, undefined, response as never);
    expect(endedSend(call, { error })).toEqual({
      send: 2,
      call: call.snapshot(),
      verdict: call.verdict,
      outcome: { error },
      response,
      error,
    });
    expect(endedSend(call, { response } as never)).toMatchObject({ response, error: undefined });
  });
});
