import { type LimitOptions, localLimiter } from 'axios-holdfast';
import { onTestFinished } from 'vitest';
import type { Limiter, Permit, PermitRequest } from '../../lib/limit/limiter.ts';

type Acquire = (request: PermitRequest, permit: () => Permit) => Permit | Promise<Permit>;

/** A limiter that writes down what is asked of it and told to it. How it gives permits is the test's matter. */
export class Noted implements Limiter {
  readonly log: string[] = [];
  readonly requests: PermitRequest[] = [];
  readonly answers: Parameters<NonNullable<Permit['answered']>>[0][] = [];
  /** Permits that are out now, and the most that ever were. */
  running = 0;
  most = 0;
  given = 0;
  private readonly how: Acquire;

  constructor(how: Acquire = (_request, permit) => permit()) {
    this.how = how;
  }

  acquire(request: PermitRequest): Permit | Promise<Permit> {
    this.log.push('acquire');
    this.requests.push(request);
    return this.how(request, () => this.permit());
  }

  pause(): void {}

  async close(): Promise<void> {}

  stats() {
    return { queued: 0, running: this.running };
  }

  private permit(): Permit {
    this.given += 1;
    this.running += 1;
    this.most = Math.max(this.most, this.running);
    return {
      answered: (answer) => {
        this.log.push('answered');
        this.answers.push(answer);
      },
      release: () => {
        this.log.push('release');
        this.running -= 1;
      },
      drop: () => {
        this.log.push('drop');
        this.running -= 1;
      },
    };
  }
}

/** A local limiter of the test's own, as it would be handed to several clients. It is closed when the test ends. */
export function limiterOf(options: LimitOptions): ReturnType<typeof localLimiter> {
  const limiter = localLimiter(options);
  onTestFinished(() => limiter.close());
  return limiter;
}
