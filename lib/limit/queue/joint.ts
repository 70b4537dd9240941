import type { Permit } from '../limiter.ts';
import { type Bound, QueuedSend, type Waited } from './queued-send.ts';

/** How many of a lane are reckoned with at once that other limits pace: what is reserved for more of them would be wasted. */
const PACED = 2;
/** What is reserved for so soon, in ms, is waited for by reserving in the other limits as well; for what comes later they are not asked. */
const SOON_MS = 50;

/** A bucket, as those see it who wait in others as well. */
export interface JointBucket extends Waited {
  /** It is asked last, since being asked takes something elsewhere. */
  readonly isRemote: boolean;
  /** From when a send of that weight may use what is reserved, if enough is; nobody is asked for it. */
  reservedAt(weight: number): number | undefined;
  /** How many permits are reserved for until then; `Infinity` where there may be more by then, or nothing is known. */
  reservedBy(atMs: number): number;
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
  /** Those of them in limits that a fleet shares. */
  readonly remote: JointSend[] = [];
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
    if (bucket.isRemote) joint.remote.push(this);
  }

  /** From when the other buckets would let it go, or may be asked whether they would. */
  elsewhereAt(now: number): number {
    const askedAt = this.#askedAt(now);
    return askedAt > now ? askedAt : this.#at(now, true);
  }

  /** How many of its lane to reckon with, by what is reserved for it elsewhere. */
  pacedTo(now: number): number {
    if (this.locallyAt(now) > now) return 0;
    let most = PACED;
    for (const { bucket, weight } of this.joint.remote) {
      if (bucket !== this.bucket) most = Math.min(most, Math.floor(bucket.reservedBy(now + SOON_MS) / weight));
    }
    return most;
  }

  /** The same of those that may be asked at any time. */
  locallyAt(now: number): number {
    return this.joint.isComplete ? this.#at(now, false) : Number.POSITIVE_INFINITY;
  }

  override leavesAt(now: number, bucket: JointBucket, wanted: number): number {
    if (!bucket.isRemote) {
      const ownAt = bucket.dueAt(now, this, wanted);
      // While time alone stands in the way, nobody else need be asked.
      return ownAt > now ? ownAt : this.elsewhereAt(now);
    }
    const askedAt = this.#askedAt(now);
    if (askedAt > now) return askedAt;
    const at = this.#at(now, true);
    // Where nothing is reserved here, another is being asked: so both are asked in one turn.
    return at > now && bucket.reservedAt(this.weight) !== undefined
      ? at
      : Math.max(at, bucket.dueAt(now, this, wanted));
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

  /** From when those may be asked that a fleet shares: when the others would let it go, and what is reserved is not far off. */
  #askedAt(now: number): number {
    const at = this.locallyAt(now);
    return at > now ? at : this.#reservedAt() - SOON_MS;
  }

  /** From when all of several limits that a fleet shares have reserved something for it, as far as they have. */
  #reservedAt(): number {
    const { remote } = this.joint;
    if (remote.length < 2) return Number.NEGATIVE_INFINITY;
    return Math.max(...remote.map(({ bucket, weight }) => bucket.reservedAt(weight) ?? Number.NEGATIVE_INFINITY));
  }

  #at(now: number, isRemote: boolean): number {
    let at = Number.NEGATIVE_INFINITY;
    for (const send of this.joint.sends) {
      // It may weigh more there than here.
      if (send !== this && send.bucket.isRemote === isRemote) at = Math.max(at, send.bucket.dueAt(now, send, 1));
    }
    return at;
  }
}
