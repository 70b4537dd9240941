import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Circuit, type Learnt, type Ticket } from '../../lib/breaker/circuit.ts';
import { Circuits } from '../../lib/breaker/circuits.ts';
import { DEFAULTS } from '../support/policies.ts';

const T0 = 1_750_000_000_000;

/** A circuit, and sends through it that are answered at once. */
function circuit(options: Partial<typeof DEFAULTS.breaker> = {}) {
  const subject = new Circuit('k', { ...DEFAULTS.breaker, ...options });
  const send = (kind: Learnt, at: number) => {
    if (subject.refusesUntil(T0 + at) !== undefined) return 'refused';
    return subject.sent(subject.enter(T0 + at), kind, T0 + at);
  };
  const sends = (count: number, kind: Learnt, at = 0) => Array.from({ length: count }, () => send(kind, at)).at(-1);
  return { subject, send, sends };
}

describe(Circuit.name, () => {
  it('opens when half of at least 20 sends within 10 s have failed', () => {
    const { subject, send, sends } = circuit();
    sends(10, 'well');
    expect(sends(9, 'failed')).toBeUndefined();
    expect(subject.isOpen).toBe(false);
    expect(send('failed', 0)).toBe('open');
    expect(subject.refusesUntil(T0)).toBe(T0 + 5_000);
  });

  it('does not open on fewer sends, however many of them fail', () => {
    const { subject, sends } = circuit();
    sends(19, 'failed');
    expect(subject.isOpen).toBe(false);
  });

  it('stays closed while less than the ratio fails', () => {
    const { subject, sends } = circuit({ failureRatio: 0.6 });
    sends(30, 'well');
    sends(30, 'failed');
    expect(subject.isOpen).toBe(false);
  });

  it('learns nothing from what was cancelled', () => {
    const { subject, sends } = circuit();
    sends(100, 'nothing');
    sends(19, 'failed');
    expect(subject.isOpen).toBe(false);
    // Nor do those make the failures look fewer.
    sends(1, 'failed');
    expect(subject.isOpen).toBe(true);
  });

  it('opens on a failure, never on an answer that only makes the number full', () => {
    const { send, sends } = circuit();
    sends(10, 'failed');
    expect(sends(10, 'well')).toBeUndefined();
    expect(send('failed', 0)).toBe('open');
  });

  it('forgets what has left the window', () => {
    const { subject, sends } = circuit();
    sends(19, 'failed', 0);
    sends(1, 'failed', 20_000);
    expect(subject.isOpen).toBe(false);
  });

  it('lets one probe out when its time has come, and no other meanwhile', () => {
    const { subject, sends } = circuit();
    sends(20, 'failed');
    expect(subject.refusesUntil(T0 + 4_999)).toBe(T0 + 5_000);
    expect(subject.refusesUntil(T0 + 5_000)).toBeUndefined();
    expect(subject.enter(T0 + 5_000).isProbe).toBe(true);
    expect(subject.refusesUntil(T0 + 5_001)).toBeDefined();
  });

  it('closes when the probe is answered', () => {
    const { subject, send, sends } = circuit();
    sends(20, 'failed');
    expect(send('well', 5_000)).toBe('closed');
    expect(subject.isOpen).toBe(false);
    // And begins to count anew.
    sends(19, 'failed', 5_001);
    expect(subject.isOpen).toBe(false);
  });

  it('stays open for as long again when the probe fails', () => {
    const { subject, send, sends } = circuit();
    sends(20, 'failed');
    expect(send('failed', 5_000)).toBe('open');
    expect(subject.refusesUntil(T0 + 9_999)).toBe(T0 + 10_000);
  });

  it('lets the next one probe when the probe was cancelled, or was not heard of for a minute', () => {
    const { subject, send, sends } = circuit();
    sends(20, 'failed');
    send('nothing', 5_000);
    expect(subject.refusesUntil(T0 + 5_000)).toBeUndefined();
    subject.enter(T0 + 5_000);
    expect(subject.refusesUntil(T0 + 64_999)).toBeDefined();
    expect(subject.refusesUntil(T0 + 65_000)).toBeUndefined();
  });

  it('does not count what left before it opened, however late it comes back', () => {
    const { subject, send, sends } = circuit({ minimumThroughput: 4 });
    const slow = Array.from({ length: 8 }, () => subject.enter(T0));
    sends(4, 'failed');
    expect(subject.sent(slow[0] as Ticket, 'well', T0 + 100)).toBeUndefined();
    expect(subject.isOpen).toBe(true);
    expect(send('well', 5_000)).toBe('closed');
    for (const ticket of slow.slice(1)) expect(subject.sent(ticket, 'failed', T0 + 6_000)).toBeUndefined();
    expect(subject.isOpen).toBe(false);
  });

  it('does not listen to a probe that was given up', () => {
    const { subject, send, sends } = circuit();
    sends(20, 'failed');
    const first = subject.enter(T0 + 5_000);
    expect(send('well', 65_000)).toBe('closed');
    expect(subject.sent(first, 'failed', T0 + 66_000)).toBeUndefined();
    expect(subject.isOpen).toBe(false);
  });

  it('tells whoever comes during the probe to come back in openMs, not when the probe is given up', () => {
    const { subject, sends } = circuit();
    sends(20, 'failed');
    subject.enter(T0 + 5_000);
    expect(subject.refusesUntil(T0 + 5_100)).toBe(T0 + 10_100);
  });

  it('never opens on less than the ratio, and never lets two probes out, whatever happens', () => {
    const kinds = fc.constantFrom<Learnt>('well', 'failed', 'nothing');
    const step = fc.record({ kind: kinds, waitMs: fc.integer({ min: 0, max: 3_000 }), later: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const { subject } = circuit({ minimumThroughput: 5 });
        const out: { ticket: Ticket; kind: Learnt }[] = [];
        let now = T0;
        for (const { kind, waitMs, later } of steps) {
          now += waitMs;
          if (subject.refusesUntil(now) === undefined) {
            const wasOpen = subject.isOpen;
            const ticket = subject.enter(now);
            expect(ticket.isProbe).toBe(wasOpen);
            out.push({ ticket, kind });
          }
          expect(out.filter(({ ticket }) => ticket.isProbe).length).toBeLessThanOrEqual(1);
          if (later && waitMs < 500) continue;
          for (const { ticket, kind } of out.splice(0)) subject.sent(ticket, kind, now);
        }
      }),
    );
  });
});

describe(Circuits.name, () => {
  it('has a circuit for each key, and remembers ten thousand', () => {
    const breaker = new Circuits(DEFAULTS.breaker);
    const first = breaker.circuit('first');
    expect(breaker.circuit('first')).toBe(first);
    for (let i = 0; i < 10_000; i++) breaker.circuit(`${i}`);
    expect(breaker.circuit('first')).not.toBe(first);
  });

  it('does not forget one that is in use', () => {
    const breaker = new Circuits(DEFAULTS.breaker);
    const mine = breaker.circuit('mine');
    for (let i = 0; i < 30_000; i++) {
      breaker.circuit(`key ${i}`);
      if (i % 1_000 === 0) expect(breaker.circuit('mine')).toBe(mine);
    }
  });

  it('names those that are open', () => {
    const breaker = new Circuits({ ...DEFAULTS.breaker, minimumThroughput: 1 });
    for (const [key, kind] of [
      ['well', 'well'],
      ['ill', 'failed'],
    ] as const) {
      const one = breaker.circuit(key);
      one.sent(one.enter(T0), kind, T0);
    }
    expect(breaker.open()).toEqual(['ill']);
  });
});
