import type { Permit } from '../limiter.ts';
import { type Bound, QueuedSend, type Waited } from './queued-send.ts';

/** A bucket, as those see it who wait in others as well. */
export interface JointBucket extends Waited {
  /** It is asked last, since being asked takes something elsewhere. */
  readonly isRemote: boolean;
  readonly wake: () => void;
  /** Whether that one goes next there, and may. */
  isNext(waiter: QueuedSend): boolean;
  /** Takes one out who waits, with a permit. */
  take(waiter: QueuedSend): Permit;
  /** Takes one out who waits, without. */
  leave(waiter: QueuedSend): void;
}

/** Those that wait for the very same buckets: what holds one of them up elsewhere holds up all. */
export interface Lane {
  readonly keys: readonly (string | false)[];
  /** How many wait in it. */
  waiting: number;
}

/** What becomes of a send that waits in several buckets at once. */
interface Outcome {
  /** It leaves all of them, with a permit of each. */
  resolve(permits: readonly Permit[]): void;
  /** One of them refused it: the n-th. */
  reject(reason: unknown, n: number): void;
}

/** The same send in several buckets. It has its place in each, and holds nothing of any before all would let it go. */
export class Joint {
  readonly lane: Lane;
  readonly #outcome: Outcome;
  readonly sends: JointSend[] = [];
  /** It stands in all of them by now. */
  isComplete = false;
  isOver = false;

  constructor(lane: Lane, outcome: Outcome) {
    this.lane = lane;
    this.#outcome = outcome;
  }

  /** One of its buckets has let it go, since the others would. */
  won(winner: JointSend, permit: Permit): void {
    this.isOver = true;
    this.#outcome.resolve(this.sends.map((send) => (send === winner ? permit : send.bucket.take(send))));
  }

  lost(loser: JointSend, reason: unknown): void {
    this.refused(reason, this.sends.indexOf(loser));
  }

  /** The n-th of its buckets has refused it. */
  refused(reason: unknown, n: number): void {
    this.isOver = true;
    for (const [i, send] of this.sends.entries()) if (i !== n) send.bucket.leave(send);
    this.#outcome.reject(reason, n);
  }
}

/** Those that are being woken, one by the other. */
const waking = new Set<JointBucket>();

/** A send in one of the buckets that it waits in. */
export class JointSend extends QueuedSend {
  readonly joint: Joint;
  readonly bucket: JointBucket;

  constructor(
    joint: Joint,
    bucket: JointBucket,
    request: ConstructorParameters<typeof QueuedSend>[0],
    now: number,
    bound: Bound | undefined,
  ) {
    super(request, now, bound);
    this.joint = joint;
    this.bucket = bucket;
    this.resolve = (permit) => joint.won(this, permit);
    this.reject = (reason) => joint.lost(this, reason);
    joint.sends.push(this);
  }

  /** From when the other buckets would let it go. */
  elsewhereAt(now: number): number {
    const at = this.locallyAt(now);
    return at > now ? at : this.#at(now, true);
  }

  /** The same of those that may be asked at any time. */
  locallyAt(now: number): number {
    return this.joint.isComplete ? this.#at(now, false) : Number.POSITIVE_INFINITY;
  }

  override leavesAt(now: number, bucket: JointBucket, wanted: number): number {
    // While time alone stands in the way, nobody else need be asked.
    const ownAt = bucket.isRemote ? now : bucket.dueAt(now, this, wanted);
    const at = ownAt > now ? ownAt : this.elsewhereAt(now);
    return at > now || !bucket.isRemote ? at : bucket.dueAt(now, this, wanted);
  }

  /** Of those who could leave the oldest goes: elsewhere that may be another, whose timer is still to come. */
  override givesWay(): boolean {
    const { bucket, joint } = this;
    const others = joint.sends.map((send) => send.bucket).filter((other) => other !== bucket && !waking.has(other));
    waking.add(bucket);
    for (const other of others) other.wake();
    waking.delete(bucket);
    return others.length > 0 && (joint.isOver || !bucket.isNext(this));
  }

  #at(now: number, isRemote: boolean): number {
    let at = Number.NEGATIVE_INFINITY;
    for (const { bucket } of this.joint.sends) {
      if (bucket !== this.bucket && bucket.isRemote === isRemote) at = Math.max(at, bucket.dueAt(now, this, 1));
    }
    return at;
  }
}
