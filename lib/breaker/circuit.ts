import { SlidingCount } from '../time/sliding-count.ts';
import type { ResolvedBreaker } from './options.ts';

/** After how long another probe may leave where the first was not heard of, in ms. */
const PROBE_PATIENCE_MS = 60_000;

/** What a send takes along through the circuit, to show when it is back. */
export interface Ticket {
  readonly isProbe: boolean;
  /** When it left, on the clock. */
  readonly at: number;
  /** How often the circuit had been closed again by then. */
  readonly generation: number;
}

/**
 * What is learnt of the server from a send: that it is `'well'`, since it answered; that it `'failed'`; or `'nothing'`, where the send was
 * cancelled or went wrong on our side.
 */
export type Learnt = 'well' | 'failed' | 'nothing';

/**
 * One circuit. Closed, it counts how many sends fail; open, it lets none out for a while, and then one, to see.
 *
 * Written here rather than taken from cockatiel 3.2: that one reads the clock itself, has whoever comes during the probe wait for
 * its end (however long that takes, and whatever their deadline), does not tell when it will try again, and moves its sampling window
 * on with the sends and not with the time, so that it opens on failures of an hour ago.
 */
export class Circuit {
  readonly key: string;
  readonly #options: ResolvedBreaker;
  readonly #sends: SlidingCount;
  readonly #failures: SlidingCount;
  /** The instant from which a probe may leave; `undefined` while closed. */
  #openUntil: number | undefined;
  #probe: Ticket | undefined;
  #generation = 0;

  constructor(key: string, options: ResolvedBreaker) {
    this.key = key;
    this.#options = options;
    this.#sends = new SlidingCount(options.windowMs);
    this.#failures = new SlidingCount(options.windowMs);
  }

  get isOpen(): boolean {
    return this.#openUntil !== undefined;
  }

  /** Until when a send may not leave, as far as can be told; `undefined` where it may now. */
  refusesUntil(nowMs: number): number | undefined {
    if (this.#openUntil === undefined) return undefined;
    if (this.#probe !== undefined) {
      return nowMs - this.#probe.at < PROBE_PATIENCE_MS ? nowMs + this.#options.openMs : undefined;
    }
    return nowMs < this.#openUntil ? this.#openUntil : undefined;
  }

  /** A send leaves, where `refusesUntil` does not refuse it. Of an open circuit it is the probe. */
  enter(nowMs: number): Ticket {
    const ticket = { isProbe: this.isOpen, at: nowMs, generation: this.#generation };
    if (ticket.isProbe) this.#probe = ticket;
    return ticket;
  }

  /**
   * What came of a send.
   *
   * @returns whether the circuit is `open`, for the first time or for longer, or `closed` by this
   */
  sent(ticket: Ticket, learnt: Learnt, nowMs: number): 'open' | 'closed' | undefined {
    if (ticket.isProbe) return ticket === this.#probe ? this.#probed(learnt, nowMs) : undefined;
    // What left before it opened says nothing of the server of now.
    if (this.isOpen || ticket.generation !== this.#generation || learnt === 'nothing') return undefined;
    this.#sends.add(nowMs);
    if (learnt === 'well') return undefined;
    this.#failures.add(nowMs);
    const { failureRatio, minimumThroughput, openMs } = this.#options;
    const sends = this.#sends.in(nowMs);
    if (sends < minimumThroughput || this.#failures.in(nowMs) < failureRatio * sends) return undefined;
    this.#openUntil = nowMs + openMs;
    return 'open';
  }

  #probed(learnt: Learnt, nowMs: number): 'open' | 'closed' | undefined {
    this.#probe = undefined;
    if (learnt === 'nothing') {
      this.#openUntil = nowMs;
      return undefined;
    }
    if (learnt === 'failed') {
      this.#openUntil = nowMs + this.#options.openMs;
      return 'open';
    }
    this.#openUntil = undefined;
    this.#generation += 1;
    this.#sends.clear();
    this.#failures.clear();
    return 'closed';
  }
}
