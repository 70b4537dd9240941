import { MAX_TIMER_MS } from '../../lib/wait/clock.ts';
import { ManualClock } from './manual-clock.ts';

/** A clock whose time of day can be set, as an operator or NTP does it; timers go on regardless. */
export class AdjustedClock extends ManualClock {
  private shift = 0;

  override now(): number {
    return super.now() + this.shift;
  }

  adjust(ms: number): void {
    this.shift += ms;
  }
}

/** A clock whose first timers fire a little early, as Node's may. */
export class HastyClock extends ManualClock {
  private readonly earlyMs: number;
  private left: number;

  constructor(earlyMs: number, timers = 1) {
    super();
    this.earlyMs = earlyMs;
    this.left = timers;
  }

  override after(ms: number, fire: () => void): () => void {
    this.left -= 1;
    return super.after(this.left >= 0 ? ms - this.earlyMs : ms, fire);
  }
}

/** A clock that overflows as `setTimeout` does, and remembers what it was asked for. */
export class OverflowingClock extends ManualClock {
  readonly asked: number[] = [];

  override after(ms: number, fire: () => void): () => void {
    this.asked.push(ms);
    return super.after(ms > MAX_TIMER_MS ? 1 : ms, fire);
  }
}
