import { describe, expect, it } from 'vitest';
import type { Again, Decision } from '../lib/call/decision.ts';
import type { Outcome } from '../lib/call/outcome.ts';
import type { Refusal } from '../lib/context.ts';
import { pipeline, type Steps } from '../lib/loop.ts';

const outcomeOf = (status: number): Outcome => ({ response: { status } as never });
const FINISH: Decision = { kind: 'finish' };
const STOP: Decision = { kind: 'stop', why: 'not-retryable' };
const retry = (delayMs: number): Decision => ({ kind: 'retry', delayMs, backoff: true, namedMs: 0 });

interface Script {
  readonly admits?: readonly (Refusal | undefined | Promise<Refusal | undefined> | Error)[];
  readonly sends?: readonly (Outcome | Error)[];
  readonly judges?: readonly (Decision | Promise<Decision> | Error)[];
  readonly waits?: readonly (Refusal | undefined | Error)[];
  readonly refreshes?: readonly (Refusal | undefined | Error)[];
}

/** Steps that do what a script says, and write down what the loop asked for. */
class Scripted implements Steps {
  readonly log: string[] = [];
  private readonly script: Script;
  private readonly turn = { admits: 0, sends: 0, judges: 0, waits: 0, refreshes: 0 };

  constructor(script: Script) {
    this.script = script;
  }

  admit() {
    this.log.push('admit');
    return this.next('admits') as Refusal | undefined;
  }

  async send() {
    this.log.push('send');
    return (this.next('sends') as Outcome | undefined) ?? outcomeOf(500 + this.turn.sends);
  }

  judge(outcome: Outcome) {
    this.log.push(`judge ${outcome.response?.status}`);
    return this.next('judges') as Decision;
  }

  async refresh() {
    this.log.push('refresh');
    return this.next('refreshes') as Refusal | undefined;
  }

  async wait({ kind, delayMs }: Again) {
    this.log.push(`${kind === 'poll' ? 'poll in' : 'wait'} ${delayMs}`);
    return this.next('waits') as Refusal | undefined;
  }

  end(outcome: Outcome, why: string) {
    const { response, error } = outcome;
    this.log.push(`end ${response?.status ?? error} ${why}`);
    return response ?? Promise.reject(error);
  }

  private next(step: keyof Script): unknown {
    const value = this.script[step]?.[this.turn[step]];
    this.turn[step] += 1;
    if (value instanceof Error) throw value;
    return value;
  }
}

async function run(script: Script) {
  const steps = new Scripted(script);
  const [settled] = await Promise.allSettled([pipeline(steps)]);
  return { log: steps.log, settled };
}

const refusal = (error: unknown, why: Refusal['why']): Refusal => ({ outcome: { error }, why });

describe(pipeline.name, () => {
  it('asks for leave, sends, judges, and ends', async () => {
    const { log, settled } = await run({ judges: [FINISH] });
    expect(log).toEqual(['admit', 'send', 'judge 501', 'end 501 success']);
    expect(settled).toEqual({ status: 'fulfilled', value: { status: 501 } });
  });

  it('waits as long as was decided before each further send, and asks for leave again', async () => {
    const { log } = await run({ judges: [retry(50), retry(1_000), FINISH] });
    expect(log).toEqual(
      ['admit', 'send', 'judge 501', 'wait 50'].concat(
        ['admit', 'send', 'judge 502', 'wait 1000'],
        ['admit', 'send', 'judge 503', 'end 503 success'],
      ),
    );
  });

  it('waits before a poll as before a retry', async () => {
    const { log } = await run({ judges: [{ kind: 'poll', delayMs: 70, url: undefined }, FINISH] });
    expect(log).toEqual(['admit', 'send', 'judge 501', 'poll in 70', 'admit', 'send', 'judge 502', 'end 502 success']);
  });

  it('ends with the last outcome, and the reason that was given', async () => {
    const { log } = await run({ judges: [retry(1), { kind: 'stop', why: 'retries-exhausted' }] });
    expect(log.at(-1)).toBe('end 502 retries-exhausted');
  });

  it('sends nothing when leave is refused, at once or later', async () => {
    const refused = refusal('full', 'limited');
    for (const admits of [[refused], [Promise.resolve(refused)]]) {
      const { log, settled } = await run({ admits });
      expect(log).toEqual(['admit', 'end full limited']);
      expect(settled).toEqual({ status: 'rejected', reason: 'full' });
    }
  });

  it('ends where leave for a retry is refused', async () => {
    const { log } = await run({ judges: [retry(1)], admits: [undefined, refusal('late', 'deadline')] });
    expect(log).toEqual(['admit', 'send', 'judge 501', 'wait 1', 'admit', 'end late deadline']);
  });

  it('sends nothing more when a wait is cut short', async () => {
    const { log } = await run({ judges: [retry(1)], waits: [refusal('gone', 'cancelled')] });
    expect(log).toEqual(['admit', 'send', 'judge 501', 'wait 1', 'end gone cancelled']);
  });

  it('awaits a judge that has to read first', async () => {
    const { log } = await run({ judges: [Promise.resolve(retry(7)), Promise.resolve(STOP)] });
    expect(log).toEqual([
      'admit',
      'send',
      'judge 501',
      'wait 7',
      'admit',
      'send',
      'judge 502',
      'end 502 not-retryable',
    ]);
  });

  it.each([
    ['admit', { admits: [new Error('odd')] }, 1],
    ['send', { sends: [new Error('odd')] }, 2],
    ['judge', { judges: [new Error('odd')] }, 3],
    ['judge, later', { judges: [Promise.resolve(retry(1)), new Error('odd')] }, 7],
    ['wait', { judges: [retry(1)], waits: [new Error('odd')] }, 4],
  ] as const)('closes the books once when %s throws, and passes on what it threw', async (_, script, steps) => {
    const { log, settled } = await run(script);
    expect(log).toHaveLength(steps + 1);
    expect(log.filter((step) => step.startsWith('end'))).toEqual(['end Error: odd not-retryable']);
    expect(settled).toMatchObject({ status: 'rejected', reason: { message: 'odd' } });
  });

  it('does not close the books again when they close with a rejection', async () => {
    const { log } = await run({ sends: [{ error: 'refused' }], judges: [STOP] });
    expect(log.filter((step) => step.startsWith('end'))).toEqual(['end refused not-retryable']);
  });

  it('goes on for as long as it is told to', async () => {
    const judges = [...Array.from({ length: 500 }, () => retry(0)), FINISH];
    const { log } = await run({ judges });
    expect(log.filter((step) => step === 'send')).toHaveLength(501);
  });

  it('costs no more than one turn of promises for leave that is given at once', async () => {
    const steps = new Scripted({ judges: [FINISH] });
    const call = pipeline(steps);
    // Within the caller's own turn, so that nothing comes between the call and its first send.
    expect(steps.log).toEqual(['admit', 'send']);
    await call;
  });
});
