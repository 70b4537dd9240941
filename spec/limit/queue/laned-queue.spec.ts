import { describe, expect, it } from 'vitest';
import { Joint, type JointBucket, JointSend, type Lane } from '../../../lib/limit/queue/joint.ts';
import { LanedQueue } from '../../../lib/limit/queue/laned-queue.ts';
import { PriorityQueue } from '../../../lib/limit/queue/priority-queue.ts';
import { QueuedSend } from '../../../lib/limit/queue/queued-send.ts';

const NOW = 1_000;
const FREE = Number.NEGATIVE_INFINITY;

/** A bucket that lets go from then. */
class Place implements JointBucket {
  due = FREE;
  asked = 0;
  readonly isRemote = false;
  readonly wake = () => {};

  dueAt(): number {
    this.asked += 1;
    return this.due;
  }

  reservedAt = () => undefined;
  reservedBy = () => Number.POSITIVE_INFINITY;
  isNext = () => true;
  take = () => ({ release: () => {} });
  leave = () => {};
}

function made() {
  const ports = { open: true };
  const plain = new PriorityQueue<QueuedSend>();
  const queue = new LanedQueue({ now: () => NOW, isOpen: () => ports.open }, plain);
  const here = new Place();
  /** Those that wait in another bucket besides; each lane has one. */
  const laneOf = () => {
    const elsewhere = new Place();
    const lane: Lane = { keys: [], waiting: 1 };
    const join = (since: number, priority = 0) => {
      const joint = new Joint(lane, { resolve: () => {}, reject: () => {} });
      const request = { key: 'k', since, priority };
      const [send] = [here, elsewhere].map((place) => new JointSend(joint, place, request, NOW, undefined));
      joint.isComplete = true;
      return send as JointSend;
    };
    const push = (since: number, priority = 0) => {
      const send = join(since, priority);
      queue.push(send);
      return send;
    };
    return { elsewhere, join, push };
  };
  const alone = (since: number, priority = 0) => {
    const send = new QueuedSend({ key: 'k', since, priority }, NOW, undefined);
    queue.push(send);
    return send;
  };
  return { ports, queue, laneOf, alone };
}

describe(LanedQueue.name, () => {
  it('has the oldest of all lanes go first, as long as nothing holds it up elsewhere', () => {
    const { queue, laneOf, alone } = made();
    expect(queue.first).toBeUndefined();
    const [a, b] = [laneOf(), laneOf()];
    const [third, first, second] = [alone(30), a.push(10), b.push(20)];
    expect(queue.first).toBe(first);
    // In a lane the first holds up those behind it, and nobody in another.
    a.elsewhere.due = NOW + 50;
    const behind = a.push(5, 1);
    expect(queue.first).toBe(second);
    b.elsewhere.due = NOW + 1;
    expect(queue.first).toBe(third);
    queue.remove(third);
    // All are held up: who is for the shortest time.
    expect(queue.first).toBe(second);
    b.elsewhere.due = NOW + 90;
    expect(queue.first).toBe(first);
    queue.remove(first);
    expect(queue.first).toBe(behind);
  });

  it('asks nobody elsewhere while the bucket itself lets nobody go', () => {
    const { ports, queue, laneOf, alone } = made();
    const a = laneOf();
    const first = a.push(10);
    alone(20);
    a.elsewhere.due = NOW + 50;
    ports.open = false;
    expect(queue.first).toBe(first);
    expect(a.elsewhere.asked).toBe(0);
  });

  it('has as many ready as wait for nothing else, and of each other lane that is not held up elsewhere two at most', () => {
    const { queue, laneOf, alone } = made();
    const [a, b] = [laneOf(), laneOf()];
    for (let n = 0; n < 4; n++) alone(n);
    for (let n = 0; n < 3; n++) a.push(n);
    b.push(0);
    expect([queue.size, queue.ready]).toEqual([8, 4 + 2 + 1]);
    a.elsewhere.due = NOW + 1;
    expect(queue.ready).toBe(4 + 1);
  });

  it('counts before a newcomer those of its lane, and before one who waits those of all that are older', () => {
    const { queue, laneOf, alone } = made();
    const [a, b] = [laneOf(), laneOf()];
    expect(queue.ahead(a.join(50))).toBe(0);
    const [one, two] = [a.push(10), a.push(30)];
    const [three, four] = [b.push(20), alone(40)];
    expect([queue.ahead(a.join(50)), queue.ahead(b.join(50)), queue.ahead(laneOf().join(50))]).toEqual([2, 1, 0]);
    expect([one, three, two, four].map((each) => queue.before(each))).toEqual([0, 1, 2, 3]);
    const urgent = b.push(60, -1);
    expect([urgent, one, four].map((each) => queue.before(each))).toEqual([0, 1, 4]);
  });

  it('knows who waits in it, and forgets a lane with the last of it', () => {
    const { queue, laneOf, alone } = made();
    const a = laneOf();
    const [one, two, three] = [a.push(10), a.push(20), alone(30)];
    expect([...queue]).toEqual(expect.arrayContaining([one, two, three]));
    expect([one, two, three, a.join(5)].map((each) => queue.has(each))).toEqual([true, true, true, false]);
    queue.remove(one);
    expect([queue.size, queue.has(one), queue.has(two)]).toEqual([2, false, true]);
    queue.remove(two);
    queue.remove(three);
    // The lane of those who wait for nothing else stays.
    const four = alone(40);
    expect([queue.size, queue.first, [...queue]]).toEqual([1, four, [four]]);
    const again = a.push(35);
    expect([queue.first, queue.size]).toEqual([again, 2]);
  });
});
