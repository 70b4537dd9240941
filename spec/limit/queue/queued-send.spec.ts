import { describe, expect, it } from 'vitest';
import { LimitError } from '../../../lib/failure/errors.ts';
import type { PermitRequest } from '../../../lib/limit/limiter.ts';
import { boundOf, isBetterProbe, overdue, QueuedSend } from '../../../lib/limit/queue/queued-send.ts';

const NOW = 1_000;
const queued = (request: Partial<PermitRequest> = {}, sequence = 0) =>
  Object.assign(new QueuedSend({ key: 'k', ...request }, NOW, undefined), { sequence });

describe(QueuedSend.name, () => {
  it('weighs one, stands behind no one that came sooner, and sits out any pause, unless it says otherwise', () => {
    expect(queued()).toMatchObject({
      ...{ weight: 1, priority: 0, since: NOW, nested: false, clampsPause: false },
      maxPauseMs: Number.POSITIVE_INFINITY,
    });
    const request = { weight: 3, priority: -1, since: 7, nested: true, maxPauseMs: 5, clampsPause: true };
    expect(queued(request)).toMatchObject(request);
  });

  it('has a place also where it is given what can be compared with nothing', () => {
    expect(queued({ priority: Number.NaN, since: Number.NaN })).toMatchObject({ priority: 0, since: NOW });
  });

  it('leaves when its bucket lets it go, and gives way to nobody elsewhere', () => {
    const waiter = queued();
    const asked: unknown[] = [];
    const dueAt = (...about: unknown[]) => asked.push(about) + 41;
    expect(waiter.leavesAt(NOW, { dueAt }, 2)).toBe(42);
    expect(asked).toEqual([[NOW, waiter, 2]]);
    expect(waiter.givesWay()).toBe(false);
  });
});

describe(boundOf.name, () => {
  it.each<[number, number, object | undefined]>([
    [500, Number.POSITIVE_INFINITY, { at: 1_500, maxWaitMs: 500 }],
    [500, 1_501, { at: 1_500, maxWaitMs: 500 }],
    [500, 1_500, { at: 1_500, maxWaitMs: undefined }],
    [500, 1_200, { at: 1_200, maxWaitMs: undefined }],
    [Number.POSITIVE_INFINITY, 1_200, { at: 1_200, maxWaitMs: undefined }],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, undefined],
  ])('of a wait of %s ms at most and a deadline at %s is the nearer: %o', (maxWaitMs, deadlineAt, bound) => {
    expect(boundOf(NOW, maxWaitMs, deadlineAt)).toEqual(bound);
  });
});

describe(overdue.name, () => {
  it('names the option that set the bound', () => {
    expect(overdue({ at: 1, maxWaitMs: 500 })).toEqual(
      new LimitError('ERR_LIMIT_WAIT_TOO_LONG', 'limit.maxWaitMs: no permit within 500 ms'),
    );
    expect(overdue({ at: 1, maxWaitMs: undefined })).toMatchObject({
      code: 'ERR_LIMIT_DEADLINE',
      message: 'deadlineMs: no permit before the deadline of the call',
    });
  });
});

describe(isBetterProbe.name, () => {
  const call = (url: string) => ({ url }) as PermitRequest['call'] & { url: string };
  const shunned = call('/a');
  const [elsewhere, nobody] = [queued({ call: call('/b') }, 5), queued({}, 6)];
  const [samePath, same] = [queued({ call: call('/a') }, 1), queued({ call: shunned }, 0)];

  it('is one to another path, else one of another call, whoever would go first', () => {
    for (const [better, worse] of [
      [elsewhere, samePath],
      [elsewhere, same],
      [nobody, samePath],
      [samePath, same],
    ] as const) {
      expect([isBetterProbe(better, worse, shunned), isBetterProbe(worse, better, shunned)]).toEqual([true, false]);
    }
  });

  it('is who goes first where neither is better in that', () => {
    expect([isBetterProbe(elsewhere, nobody, shunned), isBetterProbe(nobody, elsewhere, shunned)]).toEqual([
      true,
      false,
    ]);
  });
});
