import type { Limiter, Permit } from '../../lib/limit/limiter.ts';

/** A limiter that lets one send through at a time, first come first served, and counts. */
export class OneAtATime implements Limiter {
  /** Permits given out. */
  given = 0;
  /** What the permits were told, in order. */
  readonly answers: unknown[] = [];
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  acquire(): Permit | Promise<Permit> {
    if (this.running === 0) return this.permit();
    return new Promise((resolve) => this.waiting.push(() => resolve(this.permit())));
  }

  pause(): void {}

  async close(): Promise<void> {}

  stats(): { queued: number; running: number } {
    return { queued: this.waiting.length, running: this.running };
  }

  private permit(): Permit {
    this.given += 1;
    this.running += 1;
    return {
      answered: (answer) => this.answers.push(answer),
      release: () => {
        this.running -= 1;
        this.waiting.shift()?.();
      },
    };
  }
}
