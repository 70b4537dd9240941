import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PriorityQueue, type Waiter } from '../../../lib/limit/queue/priority-queue.ts';

class Spot implements Waiter {
  sequence = 0;
  index = 0;
  readonly name: number;
  readonly priority: number;
  readonly since: number;

  constructor(name: number, priority = 0, since = 0) {
    this.name = name;
    this.priority = priority;
    this.since = since;
  }
}

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('push' as const), n: fc.integer({ min: -3, max: 3 }), since: fc.nat(3) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('shift' as const), n: fc.constant(0), since: fc.constant(0) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), n: fc.nat(30), since: fc.constant(0) }) },
);

describe(PriorityQueue.name, () => {
  it('is empty at first', () => {
    const queue = new PriorityQueue<Spot>();
    expect([queue.size, queue.first, queue.ahead(new Spot(0))]).toEqual([0, undefined, 0]);
  });

  it('gives who has the smallest priority, then who is oldest, then who came first, whoever leaves from the middle', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const queue = new PriorityQueue<Spot>();
        let model: Spot[] = [];
        let names = 0;
        for (const { kind, n, since } of steps) {
          if (kind === 'push') {
            const spot = new Spot(names++, n, since);
            queue.push(spot);
            // A stable sort keeps those of one rank in the order in which they came.
            model = [...model, spot].sort((a, b) => a.priority - b.priority || a.since - b.since);
          }
          // The first, or one out of the middle.
          const gone = model[kind === 'shift' ? 0 : n];
          if (kind !== 'push' && gone !== undefined) {
            queue.remove(gone);
            model = model.filter((spot) => spot !== gone);
            expect(queue.has(gone)).toBe(false);
          }
          expect(queue.size).toBe(model.length);
          expect(queue.first).toBe(model[0]);
          expect(new Set(queue)).toEqual(new Set(model));
          expect(model.every((spot) => queue.has(spot))).toBe(true);
          // Not always everybody: the newest is told without a look at the others.
          const asked = n % 2 === 0 ? model : model.filter(({ name }) => name === names - 1);
          for (const spot of asked) expect(queue.before(spot)).toBe(model.indexOf(spot));
        }
      }),
    );
  });

  it('knows how many go before whoever goes last, and promises nothing to others', () => {
    const queue = new PriorityQueue<Spot>();
    for (const [name, priority, since] of [
      [0, 1, 9],
      [1, 5, 7],
      [2, 3, 8],
    ] as const)
      queue.push(new Spot(name, priority, since));
    const ahead = (priority: number, since: number) => queue.ahead({ priority, since });
    expect([ahead(5, 7), ahead(9, 0), ahead(5, 6), ahead(4, 9), ahead(0, 9)]).toEqual([3, 3, 0, 0, 0]);
    while (queue.first !== undefined) queue.remove(queue.first);
    queue.push(new Spot(3, 0));
    // What was before it was empty does not count.
    expect([ahead(0, 0), ahead(-1, 0)]).toEqual([1, 0]);
  });
});
