import { describe, expect, it } from 'vitest';
import type { StatusRule } from '../../lib/classify/options.ts';
import { STATUS_VERDICTS, verdictOfStatus } from '../../lib/classify/status.ts';

describe(verdictOfStatus.name, () => {
  it.each([
    [400, { kind: 'permanent' }],
    [401, { kind: 'unauthorized', unapplied: true }],
    [403, { kind: 'permanent' }],
    [404, { kind: 'permanent' }],
    [405, { kind: 'permanent' }],
    [406, { kind: 'permanent' }],
    [408, { kind: 'transient' }],
    [409, { kind: 'permanent' }],
    [412, { kind: 'permanent' }],
    [413, { kind: 'permanent' }],
    [421, { kind: 'transient', unapplied: true }],
    [425, { kind: 'transient', unapplied: true }],
    [429, { kind: 'throttled', unapplied: true }],
    [500, { kind: 'permanent' }],
    [501, { kind: 'permanent' }],
    [502, { kind: 'transient' }],
    [503, { kind: 'transient' }],
    [504, { kind: 'transient' }],
  ])('reads %i by the table', (status, verdict) => {
    expect(verdictOfStatus(status)).toEqual(verdict);
    expect(STATUS_VERDICTS[status]).toEqual(verdict);
  });

  it('calls every 2xx a success, and everything else that is not in the table permanent', () => {
    for (let status = 100; status < 600; status++) {
      if (status in STATUS_VERDICTS) continue;
      const kind = status >= 200 && status < 300 ? 'success' : 'permanent';
      expect({ status, verdict: verdictOfStatus(status) }).toEqual({ status, verdict: { kind } });
    }
  });

  it.each<[number, StatusRule, object]>([
    [500, 'retry', { kind: 'transient' }],
    [404, 'retry', { kind: 'transient' }],
    [202, 'retry', { kind: 'transient' }],
    [401, 'retry', { kind: 'transient' }],
    [429, 'retry', { kind: 'throttled', unapplied: true }],
    [429, 'fail', { kind: 'permanent' }],
    [503, 'fail', { kind: 'permanent' }],
    [200, 'fail', { kind: 'permanent' }],
    [401, 'fail', { kind: 'permanent' }],
    [403, 'refresh', { kind: 'unauthorized', unapplied: true }],
    [429, 'refresh', { kind: 'unauthorized', unapplied: true }],
  ])("reads %i by the policy's rule '%s' first", (status, rule, verdict) => {
    expect(verdictOfStatus(status, rule)).toEqual(verdict);
  });

  it('gives verdicts that nobody can change, since all calls share them', () => {
    expect(Object.isFrozen(STATUS_VERDICTS)).toBe(true);
    for (const status of [200, 400, 401, 429, 503, 599]) expect(Object.isFrozen(verdictOfStatus(status))).toBe(true);
  });
});
