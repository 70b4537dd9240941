import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Breaker, Circuit } from '../../lib/decide/breaker.ts';
import type { VerdictKind } from '../../lib/model/verdict.ts';
import { DEFAULTS } from '../../lib/policy/defaults.ts';

const T0 = 1_750_000_000_000;

/** A circuit, and sends through it that are answered at once. */
function circuit(options: Partial<typeof DEFAULTS.breaker> = {}) {
  const subject = new Circuit('k', { ...DEFAULTS.breaker, ...options });
  const send = (kind: VerdictKind, at: number) => {
    if (subject.closedUntil(T0 + at) !== undefined) return 'refused';
    return subject.sent(kind, subject.enter(T0 + at), T0 + at);
  };
  const sends = (count: number, kind: VerdictKind, at = 0) =>
    Array.from({ length: count }, () => send(kind, at)).at(-1);
  return { subject, send, sends };
}

describe(Circuit.name, () => {
  it('opens when half of at least 20 sends within 10 s have failed', () => {
    const { subject, send, sends } = circuit();
    sends(10, 'success');
    expect(sends(9, 'transient')).toBeUndefined();
    expect(subject.isOpen).toBe(false);
    expect(send('transient', 0)).toBe('open');
    expect(subject.closedUntil(T0)).toBe(T0 + 5_000);
  });

  it('does not open on fewer sends, however many of them fail', () => {
    const { subject, sends } = circuit();
    sends(19, 'transient');
    expect(subject.isOpen).toBe(false);
  });

  it.each(['throttled', 'unauthorized', 'permanent', 'success'] as const)('takes %s for an answer', (kind) => {
    const { subject, sends } = circuit({ failureRatio: 0.6 });
    sends(30, kind);
    sends(30, 'transient');
    expect(subject.isOpen).toBe(false);
  });

  it('learns nothing from what was cancelled', () => {
    const { subject, sends } = circuit();
    sends(100, 'cancelled');
    sends(19, 'transient');
    expect(subject.isOpen).toBe(false);
  });

  it('forgets what has left the window', () => {
    const { subject, sends } = circuit();
    sends(19, 'transient', 0);
    sends(1, 'transient', 20_000);
    expect(subject.isOpen).toBe(false);
  });

  it('lets one probe out when its time has come, and no other meanwhile', () => {
    const { subject, sends } = circuit();
    sends(20, 'transient');
    expect(subject.closedUntil(T0 + 4_999)).toBe(T0 + 5_000);
    expect(subject.closedUntil(T0 + 5_000)).toBeUndefined();
    expect(subject.enter(T0 + 5_000)).toBe(true);
    expect(subject.closedUntil(T0 + 5_001)).toBeDefined();
  });

  it.each(['success', 'throttled', 'permanent'] as const)('closes when the probe is answered: %s', (kind) => {
    const { subject, send, sends } = circuit();
    sends(20, 'transient');
    expect(send(kind, 5_000)).toBe('closed');
    expect(subject.isOpen).toBe(false);
    // And begins to count anew.
    sends(19, 'transient', 5_001);
    expect(subject.isOpen).toBe(false);
  });

  it('stays open for as long again when the probe fails', () => {
    const { subject, send, sends } = circuit();
    sends(20, 'transient');
    expect(send('transient', 5_000)).toBeUndefined();
    expect(subject.closedUntil(T0 + 9_999)).toBe(T0 + 10_000);
  });

  it('lets the next one probe when the probe was cancelled, or was not heard of for a minute', () => {
    const { subject, send, sends } = circuit();
    sends(20, 'transient');
    send('cancelled', 5_000);
    expect(subject.closedUntil(T0 + 5_000)).toBeUndefined();
    subject.enter(T0 + 5_000);
    expect(subject.closedUntil(T0 + 64_999)).toBeDefined();
    expect(subject.closedUntil(T0 + 65_000)).toBeUndefined();
  });

  it('does not count what left before it opened and came back after', () => {
    const { subject, sends } = circuit();
    sends(20, 'transient');
    expect(subject.sent('success', false, T0 + 100)).toBeUndefined();
    expect(subject.isOpen).toBe(true);
  });

  it('is not held open by a clock that is set back', () => {
    const { subject, sends } = circuit();
    sends(20, 'transient');
    const hour = 3_600_000;
    expect(subject.closedUntil(T0 - hour)).toBe(T0 - hour + 5_000);
    expect(subject.closedUntil(T0 - hour + 5_000)).toBeUndefined();
  });

  it('never opens on less than the ratio, and never lets two probes out, whatever happens', () => {
    const kinds = fc.constantFrom<VerdictKind>('success', 'transient', 'throttled', 'permanent', 'cancelled');
    const step = fc.record({ kind: kinds, waitMs: fc.integer({ min: 0, max: 3_000 }), later: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const { subject } = circuit({ minimumThroughput: 5 });
        const out: { isProbe: boolean; kind: VerdictKind }[] = [];
        let now = T0;
        for (const { kind, waitMs, later } of steps) {
          now += waitMs;
          if (subject.closedUntil(now) === undefined) {
            const wasOpen = subject.isOpen;
            const isProbe = subject.enter(now);
            expect(isProbe).toBe(wasOpen);
            out.push({ isProbe, kind });
          }
          expect(out.filter(({ isProbe }) => isProbe).length).toBeLessThanOrEqual(1);
          if (later && waitMs < 500) continue;
          for (const { isProbe, kind } of out.splice(0)) subject.sent(kind, isProbe, now);
        }
      }),
    );
  });
});

describe(Breaker.name, () => {
  it('has a circuit for each key, and remembers ten thousand', () => {
    const breaker = new Breaker(DEFAULTS.breaker);
    const first = breaker.circuit('first');
    expect(breaker.circuit('first')).toBe(first);
    for (let i = 0; i < 10_000; i++) breaker.circuit(`${i}`);
    expect(breaker.circuit('first')).not.toBe(first);
  });

  it('names those that are open', () => {
    const breaker = new Breaker({ ...DEFAULTS.breaker, minimumThroughput: 1 });
    breaker.circuit('well').sent('success', false, T0);
    breaker.circuit('ill').sent('transient', false, T0);
    expect(breaker.open()).toEqual(['ill']);
  });
});
