/** Registered, so that every copy of this package finds the same: ESM beside CommonJS, or one for each of two dependencies. */
const COMMON = Symbol.for('axios-holdfast');

/**
 * What all copies of this package in a process have in common. What is made differently from now on needs another name,
 * since the other copy may be of another version.
 */
export function acrossCopies<T>(name: string, make: () => T): T {
  const holder = globalThis as { [COMMON]?: Map<string, unknown> };
  holder[COMMON] ??= new Map();
  const all = holder[COMMON] as Map<string, T>;
  const known = all.get(name);
  if (known !== undefined) return known;
  const made = make();
  all.set(name, made);
  return made;
}
