/** Registered, so that every copy of this package finds the same map: ESM beside CommonJS, or a copy in each of two dependencies. */
const SHARED = Symbol.for('axios-holdfast');

/**
 * What all copies of this package in a process share, by name; the first copy that asks makes it.
 *
 * Whoever changes what is made must change its `name` too: another copy may be of another version.
 */
export function acrossCopies<T>(name: string, make: () => T): T {
  const holder = globalThis as { [SHARED]?: Map<string, unknown> };
  holder[SHARED] ??= new Map();
  const shared = holder[SHARED] as Map<string, T>;
  const known = shared.get(name);
  if (known !== undefined) return known;
  const made = make();
  shared.set(name, made);
  return made;
}
