import { describe, expect, it } from 'vitest';
import { type Departure, Departures } from '../../../lib/limit/windows/departures.ts';

/** One left at each of these instants. */
function left(...instants: readonly number[]): Departures {
  const departures = new Departures();
  for (const at of instants) departures.add(at, 1);
  return departures;
}
const until = (end: number) => (departure: Departure) => departure.at < end;

describe(Departures.name, () => {
  it('holds nothing at first', () => {
    expect([...new Departures()]).toEqual([]);
    expect(new Departures().weight).toBe(0);
    expect(new Departures().of(0)).toBeUndefined();
  });

  it('keeps what left at one instant as one, and weighs all together', () => {
    const departures = new Departures();
    departures.add(10, 2);
    departures.add(10, 3);
    departures.add(11, 4);
    expect([...departures]).toEqual([
      { at: 10, weight: 5, excessMs: 0 },
      { at: 11, weight: 4, excessMs: 0 },
    ]);
    expect(departures.weight).toBe(9);
  });

  it('finds each by when it left, and nothing between them, before or after', () => {
    for (const count of [1, 2, 3, 7, 8]) {
      const instants = Array.from({ length: count }, (_, n) => 10 * n);
      const departures = left(...instants);
      for (const at of instants) {
        expect(departures.of(at)?.at).toBe(at);
        expect(departures.of(at - 1)).toBeUndefined();
        expect(departures.of(at + 1)).toBeUndefined();
      }
    }
  });

  it('charges what left then, and all together', () => {
    const departures = left(10, 20);
    departures.charge(10, 4);
    departures.charge(20, -1);
    expect([...departures].map(({ weight }) => weight)).toEqual([5, 0]);
    expect(departures.weight).toBe(5);
  });

  it('charges nobody where nothing left then', () => {
    const departures = left(10, 20);
    departures.charge(15, 4);
    expect([...departures].map(({ weight }) => weight)).toEqual([1, 1]);
    expect(departures.weight).toBe(2);
  });

  it.each([0, 1, 2, 3, 4, 5])('counts the first %i of five no more, and finds them no more', (count) => {
    const departures = left(0, 10, 20, 30, 40);
    departures.forget(until(10 * count));
    const counted = [0, 10, 20, 30, 40].slice(count);
    expect([...departures].map(({ at }) => at)).toEqual(counted);
    expect(departures.weight).toBe(counted.length);
    for (const at of [0, 10, 20, 30, 40]) expect(departures.of(at)?.at).toBe(counted.includes(at) ? at : undefined);
  });

  it('goes on counting while others leave and are forgotten', () => {
    const departures = left(0, 10, 20);
    departures.forget(until(10));
    departures.add(30, 2);
    departures.forget(until(20));
    departures.add(40, 3);
    departures.forget(until(30));
    expect([...departures].map(({ at }) => at)).toEqual([30, 40]);
    expect(departures.weight).toBe(5);
    expect(departures.of(40)?.weight).toBe(3);
  });

  it('forgets none behind the first that still counts', () => {
    const departures = left(0, 10, 20);
    departures.forget(({ at }) => at !== 10);
    expect([...departures].map(({ at }) => at)).toEqual([10, 20]);
  });
});
