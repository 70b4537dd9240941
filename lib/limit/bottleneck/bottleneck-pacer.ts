import type { Answer } from '../limiter.ts';
import type { Bucket } from '../queue/bucket.ts';
import type { Pacer } from '../queue/pacer.ts';
import type { Waiter } from '../queue/priority-queue.ts';

/** A job in Bottleneck, whose slot is taken until it is told to end. */
export class Job {
  /** Its priority there: 0 to 9. */
  readonly urgency: number;
  /** When Bottleneck has done with it. */
  over: Promise<void> | undefined;
  end!: () => void;
  /** What its send really cost has been told. */
  isSettled = false;
  readonly ended = new Promise<void>((resolve) => {
    this.end = resolve;
  });

  constructor(priority: number) {
    this.urgency = Math.min(Math.max(Math.round(priority) + 5, 0), 9);
  }
}

/** What the pacer needs of the bucket and the limiter it belongs to. */
export interface BottleneckPorts {
  bucket(): Bucket<Job>;
  /** Has Bottleneck run the job by that task. Rejects with what to tell whoever waits. */
  run(job: Job, task: () => Promise<void>): Promise<void>;
  /** Pauses the whole key, all its weights, until that instant of the clock. */
  hold(until: number): void;
  /** What a send really cost. */
  settle(cost: number): void;
}

/**
 * Sends leave when Bottleneck starts jobs, one for each that waits.
 *
 * A job belongs to nobody: when it starts, the first of those who wait gets its slot. So the turn of one who has given up is
 * not lost, and priorities hold also where Bottleneck has fixed the order already, as it does with `minTime`.
 */
export class BottleneckPacer implements Pacer<Job> {
  readonly #ports: BottleneckPorts;
  /** Those that have yet to start. */
  readonly #jobs = new Set<Job>();
  /** There are fewer of them than sends that wait, because of a pause. */
  #isShort = false;
  /** The one that is starting. */
  #slot: Job | undefined;

  constructor(ports: BottleneckPorts) {
    this.#ports = ports;
  }

  nextAt(nowMs: number): number {
    if (this.#isShort) {
      this.#isShort = false;
      for (const [n, waiter] of [...this.#ports.bucket().waiting].entries()) this.#enter(waiter, n + 1);
    }
    return this.#slot === undefined ? Number.POSITIVE_INFINITY : nowMs;
  }

  queued(_nowMs: number, waiter: Waiter, waiting: number): void {
    if (this.#ports.bucket().isPaused) this.#isShort = true;
    else this.#enter(waiter, waiting);
  }

  /** Bottleneck starts nothing at once. */
  earliest(nowMs: number): number {
    return nowMs + 1;
  }

  send(): Job {
    const job = this.#slot as Job;
    this.#slot = undefined;
    return job;
  }

  answered(_nowMs: number, job: Job, { cost }: Answer): undefined {
    if (cost === undefined || job.isSettled) return;
    job.isSettled = true;
    this.#ports.settle(cost);
  }

  ended(_nowMs: number, job: Job): void {
    job.end();
  }

  paused(_nowMs: number, untilAt: number): void {
    this.#ports.hold(untilAt);
  }

  resumed(): void {}

  isFresh(): boolean {
    return this.#jobs.size === 0;
  }

  /** Enters a job, unless those that others have left will do for so many who wait. */
  #enter(waiter: Waiter, waiting: number): void {
    const job = new Job(waiter.priority);
    const isSpare = this.#jobs.size >= waiting;
    if (isSpare && [...this.#jobs].filter(({ urgency }) => urgency <= job.urgency).length >= waiting) return;
    this.#jobs.add(job);
    const task = () => {
      // A listener to `failed` may have Bottleneck start it again: that is the same send still.
      if (this.#jobs.delete(job)) this.#start(job);
      return job.ended;
    };
    job.over = this.#ports.run(job, task).catch((error: unknown) => this.#failed(job, waiter, error));
  }

  /** Gives the job's slot to whoever is first. Where there is nobody, or a pause, the job ends. */
  #start(job: Job): void {
    this.#slot = job;
    this.#ports.bucket().wake();
    if (this.#slot === undefined) return;
    this.#slot = undefined;
    this.#isShort = true;
    job.end();
  }

  #failed(job: Job, waiter: Waiter, error: unknown): void {
    // One that has started has lost no more than its slot, by its expiration. Another may start yet, further on in a chain.
    if (!this.#jobs.delete(job)) return;
    job.end();
    const bucket = this.#ports.bucket();
    if (bucket.isPaused) this.#isShort = true;
    else if (this.#jobs.size < bucket.queued) bucket.refuse(waiter, error);
  }
}
