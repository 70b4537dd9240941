import { describe, expect, it } from 'vitest';
import { missing, number, oneOf, TURNS_ON } from '../lib/check.ts';
import type { PolicyProblem } from '../lib/failure/errors.ts';
import { Group, hasSameNumbers, SEVERAL, several } from '../lib/group.ts';

interface Kiln {
  readonly name: 'kiln';
}
const isKiln = (value: unknown): value is Kiln => (value as Partial<Kiln> | null)?.name === 'kiln';

/** Of a policy that nobody knows. */
const GLAZE = new Group<{ readonly coats?: number }, { readonly coats: number }>({
  fields: { coats: [number(0), 2] },
  advice: { on: TURNS_ON },
});

interface FiringOptions {
  readonly degrees?: number;
  readonly cone?: string;
  readonly glaze?: false | { readonly coats?: number };
  readonly onDone?: unknown;
  readonly onStop?: unknown;
}
const FIRING = new Group<
  FiringOptions,
  { readonly degrees: number; readonly glaze: false; readonly onDone: readonly unknown[] }
>({
  fields: {
    degrees: [number(0), 1_000],
    cone: oneOf('6', '10'),
    glaze: GLAZE,
    onDone: [SEVERAL, []],
    onStop: { ...SEVERAL, laterFirst: true },
  },
  also: ({ degrees }, path, problems) => {
    if (degrees === undefined) problems.push(missing(`${path}.degrees`, 'a number'));
  },
  value: { is: isKiln, adjust: (kiln, { cone }) => (cone === undefined ? undefined : { ...(kiln as Kiln), cone }) },
  complete: (options) => ({ cone: '6', ...options }),
});
const [f, g] = [() => undefined, () => undefined];

const messagesOf = (value: unknown): readonly string[] => {
  const problems: PolicyProblem[] = [];
  FIRING.check(value, 'firing', problems);
  return problems.map(({ message }) => message);
};

describe(Group.name, () => {
  it.each([
    ['options', { degrees: 900, glaze: { coats: 1 } }, []],
    ['false, also within', { degrees: 900, glaze: false }, []],
    ['false', false, []],
    ['a value that is used as it is', { name: 'kiln' }, []],
    ['nothing, which is no opinion', undefined, []],
    [
      'all that is wrong, by its path',
      { cone: '7', glaze: { coats: -1 }, salt: 1 },
      [
        "firing.cone must be '6' or '10', got '7'",
        'firing.glaze.coats must be a number of at least 0, got -1',
        'firing.salt is not an option',
        'firing.degrees must be a number, got nothing',
      ],
    ],
    ['true', { degrees: 1, glaze: true }, ['firing.glaze must be a plain object, got true: `{}` turns it on']],
  ])('checks %s', (_, value, messages) => {
    expect(messagesOf(value)).toEqual(messages);
  });

  it.each([
    ['off', false, 0],
    ['on', { a: 1 }, 0],
    ['always-on', { a: 1 }, 1],
  ] as const)('that starts %s starts from %o', (starts, start, wrong) => {
    const group = new Group<{ a?: number; b?: 'x' }, { a: number }>({
      starts,
      fields: { a: [number(0), 1], b: oneOf('x') },
    });
    const problems: PolicyProblem[] = [];
    group.check(false, 'group', problems);
    expect(group.start).toEqual(start);
    expect(group.defaults).toEqual({ a: 1 });
    expect(problems).toHaveLength(wrong);
  });

  it.each<[string, unknown, unknown, unknown]>([
    ['option by option', { degrees: 1, cone: '6' }, { degrees: 2 }, { degrees: 2, cone: '6' }],
    ['group by group', { glaze: { coats: 1 } }, { glaze: { coats: undefined } }, { glaze: { coats: 1 } }],
    ['without defaults', false, { cone: '6', glaze: {} }, { cone: '6', glaze: {} }],
    ['functions that add up', { onDone: f }, { onDone: [g, f] }, { onDone: [f, g] }],
    ['functions that add up, the later first', { onStop: f }, { onStop: g }, { onStop: [g, f] }],
    ['a function, as a list', {}, { onDone: f }, { onDone: [f] }],
    ['false, which turns it off', { degrees: 1 }, false, false],
    ['a value in the place of options', { degrees: 1 }, { name: 'kiln' }, { name: 'kiln' }],
    ['options that are laid over a value', { name: 'kiln' }, { cone: '6' }, { name: 'kiln', cone: '6' }],
    ['options that take the place of a value', { name: 'kiln' }, { degrees: 1 }, { degrees: 1 }],
  ])('merges %s', (_, earlier, later, both) => {
    expect(FIRING.merge(earlier, later)).toEqual(both);
  });

  it.each<[string, unknown, unknown, unknown]>([
    ['from its defaults', false, {}, { degrees: 1_000, glaze: false, onDone: [], cone: '6' }],
    ['within, too', { degrees: 1, glaze: false, onDone: [] }, { glaze: {} }, { glaze: { coats: 2 } }],
    [
      'not from the defaults where it was on',
      { degrees: 1, glaze: { coats: 5 } },
      { glaze: {} },
      { glaze: { coats: 5 } },
    ],
    ['to false', { degrees: 1 }, false, false],
  ])('resolves what a policy turns on: %s', (_, base, policy, resolved) => {
    expect(FIRING.resolve(base, policy)).toEqual(
      resolved === false ? false : expect.objectContaining(resolved as Record<string, unknown>),
    );
  });

  it('shares no group and no list with the later one', () => {
    const later = { glaze: { coats: 1 }, onDone: [f] };
    const merged = FIRING.merge({}, later) as typeof later;
    expect(merged).toEqual(later);
    expect(merged.glaze).not.toBe(later.glaze);
    expect(merged.onDone).not.toBe(later.onDone);
  });

  it('merges nothing that a polluted prototype holds', () => {
    Object.defineProperty(Object.prototype, 'glaze', { value: { coats: 9 }, configurable: true, writable: true });
    try {
      expect(FIRING.merge({ degrees: 1 }, { glaze: {} })).toEqual({ degrees: 1, glaze: {} });
    } finally {
      delete (Object.prototype as { glaze?: unknown }).glaze;
    }
  });

  it('freezes groups and lists, and takes their prototypes away; not a value that is used as it is', () => {
    const kiln = { name: 'kiln' };
    const frozen = FIRING.freeze({ glaze: { coats: 1 }, onDone: [f], kiln });
    for (const each of [frozen, frozen.glaze, frozen.onDone]) expect(Object.isFrozen(each)).toBe(true);
    for (const each of [frozen, frozen.glaze]) expect(Object.getPrototypeOf(each)).toBe(null);
    expect(Object.isFrozen(kiln)).toBe(false);
    expect(FIRING.freeze(frozen)).toBe(frozen);
  });
});

describe(several.name, () => {
  it.each([
    [undefined, []],
    [f, [f]],
    [
      [f, g],
      [f, g],
    ],
  ])('of %o is %o', (option, list) => {
    expect(several<unknown>(option)).toEqual(list);
  });
});

describe(hasSameNumbers.name, () => {
  it.each<[object | false, object, boolean]>([
    [{ a: 1, b: { c: 2 } }, { a: 1, b: { c: 2 } }, true],
    [{ a: 1, b: { c: 2 } }, { a: 1, b: { c: 3 } }, false],
    [{ a: 1, key: f }, { a: 1, key: g }, true],
    [false, { a: 1 }, false],
  ])('of %o and %o is %o: functions do not count', (before, after, same) => {
    expect(hasSameNumbers(before, after)).toBe(same);
  });
});
