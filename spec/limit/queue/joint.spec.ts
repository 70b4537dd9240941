import { describe, expect, it } from 'vitest';
import type { Permit } from '../../../lib/limit/limiter.ts';
import { Joint, type JointBucket, JointSend } from '../../../lib/limit/queue/joint.ts';
import type { QueuedSend } from '../../../lib/limit/queue/queued-send.ts';

const NOW = 1_000;
const FREE = Number.NEGATIVE_INFINITY;
const NEVER = Number.POSITIVE_INFINITY;

/** A bucket that says what the test says; a remote one is shared by a fleet. */
class Place implements JointBucket {
  readonly isRemote: boolean;
  due: number;
  reserved: number | undefined;
  most = NEVER;
  isTurn = true;
  readonly did: string[] = [];
  readonly asked: number[] = [];
  onWake = () => {};

  constructor(due = FREE, isRemote = false) {
    this.due = due;
    this.isRemote = isRemote;
  }

  dueAt(_now: number, { weight }: QueuedSend): number {
    this.asked.push(weight);
    return this.due;
  }

  reservedAt(): number | undefined {
    return this.reserved;
  }

  reservedBy(): number {
    return this.most;
  }

  readonly wake = (): void => {
    this.did.push('wake');
    this.onWake();
  };

  isNext(): boolean {
    return this.isTurn;
  }

  take(): Permit {
    this.did.push('take');
    return { release: () => {} };
  }

  leave(): void {
    this.did.push('leave');
  }
}

/** One send that waits in all of those. */
function waiting(places: readonly Place[], weight = 1) {
  const became: unknown[] = [];
  const joint = new Joint(
    { keys: [], waiting: 1 },
    {
      resolve: (permits) => became.push(permits.length),
      reject: (reason, n) => became.push([reason, n]),
    },
  );
  const sends = places.map((place) => new JointSend(joint, place, { key: 'k', weight }, NOW, undefined));
  joint.isComplete = true;
  const leavesAt = (n: number) => sends[n]?.leavesAt(NOW, places[n] as Place, 1);
  return { joint, sends, became, leavesAt };
}

describe(JointSend.name, () => {
  it('leaves when all would let it, and asks a fleet last, since that takes something', () => {
    const [mine, other, fleet] = [new Place(), new Place(NOW + 30), new Place(FREE, true)];
    const { leavesAt } = waiting([mine, other, fleet]);
    expect([leavesAt(0), leavesAt(1), leavesAt(2)]).toEqual([NOW + 30, NOW + 30, NOW + 30]);
    expect(fleet.asked).toEqual([]);
    other.due = FREE;
    fleet.due = NOW + 70;
    expect([leavesAt(0), leavesAt(1), leavesAt(2)]).toEqual([NOW + 70, NOW + 70, NOW + 70]);
  });

  it('leaves nowhere before it stands in all', () => {
    const { joint, leavesAt } = waiting([new Place(), new Place()]);
    joint.isComplete = false;
    expect(leavesAt(0)).toBe(NEVER);
    joint.isComplete = true;
    expect(leavesAt(0)).toBe(FREE);
  });

  describe('in several limits that a fleet shares', () => {
    it('asks the others 50 ms before what is reserved in one may be used: for what comes later they are not asked', () => {
      const [one, two] = [new Place(FREE, true), new Place(FREE, true)];
      const { leavesAt } = waiting([one, two]);
      one.reserved = NOW + 80;
      expect([leavesAt(0), leavesAt(1), one.asked.length + two.asked.length]).toEqual([NOW + 30, NOW + 30, 0]);
      one.reserved = NOW + 50;
      expect([leavesAt(0), leavesAt(1)]).toEqual([FREE, FREE]);
      expect([one.asked.length, two.asked.length]).toEqual([2, 2]);
    });

    it('asks both in one turn where nothing is reserved in either, and keeps what is', () => {
      const [one, two] = [new Place(NOW + 5, true), new Place(NOW + 9, true)];
      const { leavesAt } = waiting([one, two]);
      expect(leavesAt(0)).toBe(NOW + 9);
      expect([one.asked.length, two.asked.length]).toEqual([1, 1]);
      one.reserved = NOW;
      expect(leavesAt(0)).toBe(NOW + 9);
      // It waits for the other; to ask here again would take another.
      expect([one.asked.length, two.asked.length]).toEqual([1, 2]);
    });

    it.each([
      [NEVER, 1, 2],
      [1, 1, 1],
      [5, 3, 1],
      [2, 3, 0],
    ])(
      'reckons with as many of its lane as %d reserved for weights of %i allow, two at most: %i',
      (most, weight, paced) => {
        const [one, two] = [new Place(FREE, true), new Place(FREE, true)];
        const { sends } = waiting([one, two], weight);
        two.most = most;
        // Its own is not what it waits for.
        one.most = 0;
        expect(sends[0]?.pacedTo(NOW)).toBe(paced);
      },
    );

    it('reckons with none that something else holds up', () => {
      const local = new Place(NOW + 1);
      const { sends } = waiting([new Place(FREE, true), local]);
      expect(sends[0]?.pacedTo(NOW)).toBe(0);
      local.due = NOW;
      expect(sends[0]?.pacedTo(NOW)).toBe(2);
    });
  });

  describe('that could leave', () => {
    it('lets those go first who are before it elsewhere, and leaves if it is still its turn', () => {
      const [mine, other] = [new Place(), new Place()];
      const { sends } = waiting([mine, other]);
      expect(sends[0]?.givesWay()).toBe(false);
      expect([mine.did, other.did]).toEqual([[], ['wake']]);
      other.onWake = () => {
        mine.isTurn = false;
      };
      expect(sends[0]?.givesWay()).toBe(true);
    });

    it('is not let out twice, where the other bucket has let it go meanwhile', () => {
      const [mine, other] = [new Place(), new Place()];
      const { sends, joint } = waiting([mine, other]);
      other.onWake = () => {
        joint.isOver = true;
      };
      expect(sends[0]?.givesWay()).toBe(true);
    });

    it('does not wake the bucket that is waking its own', () => {
      const [mine, other] = [new Place(), new Place()];
      const { sends } = waiting([mine, other]);
      let inner: boolean | undefined;
      other.onWake = () => {
        inner = sends[1]?.givesWay();
      };
      sends[0]?.givesWay();
      // The other has nobody else to ask: so it may go.
      expect([inner, mine.did]).toEqual([false, []]);
      // Afterwards it does.
      other.onWake = () => {};
      sends[1]?.givesWay();
      expect(mine.did).toEqual(['wake']);
    });
  });
});

describe(Joint.name, () => {
  it('takes a permit of each when one lets it go', () => {
    const places = [new Place(), new Place(), new Place()];
    const { sends, became, joint } = waiting(places);
    sends[1]?.resolve({ release: () => {} });
    expect(places.map(({ did }) => did)).toEqual([['take'], [], ['take']]);
    expect([became, joint.isOver]).toEqual([[3], true]);
  });

  it('leaves the others when one refuses it, and tells which', () => {
    const places = [new Place(), new Place(), new Place()];
    const { sends, became, joint } = waiting(places);
    sends[1]?.reject('late');
    expect(places.map(({ did }) => did)).toEqual([['leave'], [], ['leave']]);
    expect([became, joint.isOver]).toEqual([[['late', 1]], true]);
  });
});
