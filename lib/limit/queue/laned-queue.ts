import { JointSend, type Lane } from './joint.ts';
import { goesBefore, PriorityQueue, type Waiter } from './priority-queue.ts';
import type { QueuedSend } from './queued-send.ts';

/** What the queue needs of its bucket. */
interface Ports {
  now(): number;
  /** Whether the bucket would let somebody go now, as far as it can tell without being asked. */
  isOpen(): boolean;
}

/**
 * The queue of a bucket in which some wait for other buckets as well: a lane for each group of buckets, and one for those who wait for
 * nothing else. Who is held up elsewhere holds up only their own lane.
 */
export class LanedQueue {
  readonly #ports: Ports;
  readonly #plain: PriorityQueue<QueuedSend>;
  readonly #lanes = new Map<Lane | undefined, PriorityQueue<QueuedSend>>();

  constructor(ports: Ports, plain: PriorityQueue<QueuedSend>) {
    this.#ports = ports;
    this.#plain = plain;
    this.#lanes.set(undefined, plain);
  }

  get size(): number {
    let size = 0;
    for (const lane of this.#lanes.values()) size += lane.size;
    return size;
  }

  get ready(): number {
    const now = this.#ports.now();
    let ready = 0;
    for (const lane of this.#lanes.values()) {
      const { first } = lane;
      if (!(first instanceof JointSend)) ready += lane.size;
      else ready += Math.min(lane.size, first.pacedTo(now));
    }
    return ready;
  }

  /** Who goes next: the oldest of those that nothing holds up elsewhere; else who is held up for the shortest time. */
  get first(): QueuedSend | undefined {
    const now = this.#ports.now();
    const isOpen = this.#ports.isOpen();
    let chosen: QueuedSend | undefined;
    let chosenAt = Number.POSITIVE_INFINITY;
    for (const { first } of this.#lanes.values()) {
      if (first === undefined) continue;
      // Where nobody may leave yet, nobody is asked.
      const elsewhereAt = isOpen && first instanceof JointSend ? first.elsewhereAt(now) : now;
      const at = Math.max(now, elsewhereAt);
      if (chosen !== undefined && (at === chosenAt ? goesBefore(chosen, first) : at > chosenAt)) continue;
      chosen = first;
      chosenAt = at;
    }
    return chosen;
  }

  /** How many of its own lane go before a newcomer, at least: the others may be held up. */
  ahead(newcomer: QueuedSend): number {
    return this.#lanes.get(laneOf(newcomer))?.ahead(newcomer) ?? 0;
  }

  before(waiter: QueuedSend): number {
    let before = 0;
    for (const lane of this.#lanes.values()) {
      if (lane.has(waiter)) before += lane.before(waiter);
      else for (const other of lane) if (goesBefore(other, waiter)) before += 1;
    }
    return before;
  }

  push(waiter: QueuedSend): void {
    const name = laneOf(waiter);
    const lane = this.#lanes.get(name) ?? new PriorityQueue(this.#plain);
    this.#lanes.set(name, lane);
    lane.push(waiter);
  }

  has(waiter: Waiter): boolean {
    for (const lane of this.#lanes.values()) if (lane.has(waiter)) return true;
    return false;
  }

  remove(waiter: QueuedSend): void {
    const name = laneOf(waiter);
    const lane = this.#lanes.get(name);
    lane?.remove(waiter);
    if (name !== undefined && lane?.size === 0) this.#lanes.delete(name);
  }

  *[Symbol.iterator](): Iterator<QueuedSend> {
    for (const lane of this.#lanes.values()) yield* lane;
  }
}

const laneOf = (waiter: QueuedSend): Lane | undefined => (waiter instanceof JointSend ? waiter.joint.lane : undefined);
