import type { Verdict, VerdictKind } from '../call/verdict.ts';
import { isRecord, shown } from '../check.ts';

const KINDS: ReadonlySet<unknown> = new Set<VerdictKind>([
  'success',
  'pending',
  'throttled',
  'transient',
  'unauthorized',
  'permanent',
  'cancelled',
]);

const FLAGS = ['unapplied', 'reject', 'accept', 'final'] as const;

/**
 * What a judge gave, where it is a verdict or `undefined`. Anything else is an error, also the `false` that `condition && verdict` gives:
 * it may have been meant as "no opinion" or as "no retry".
 *
 * @param how the words before what was given, such as `a promise of `
 * @throws {TypeError} that says what the judge gave, and what it must give
 */
export function checkedVerdict(given: unknown, how = ''): Verdict | undefined {
  if (given === undefined) return undefined;
  if (!isRecord(given) || given.kind === undefined) {
    const what = isRecord(given) ? 'an object without a kind' : shown(given);
    throw new TypeError(
      `classify gave ${how}${what}; it must give a verdict such as { kind: 'transient' }, or undefined for no opinion`,
    );
  }
  const refuse = (name: string, bound: string) => {
    throw new TypeError(`classify gave ${how}a verdict with ${name} ${shown(given[name])}; it must be ${bound}`);
  };
  const { kind, reason, retryAfterMs } = given;
  if (!KINDS.has(kind)) refuse('kind', `one of ${[...KINDS].map((each) => `'${each}'`).join(', ')}`);
  if (reason !== undefined && typeof reason !== 'string') refuse('reason', 'a string');
  if (retryAfterMs !== undefined && !(typeof retryAfterMs === 'number' && retryAfterMs >= 0)) {
    refuse('retryAfterMs', 'a number of at least 0, in ms');
  }
  for (const flag of FLAGS) {
    if (given[flag] !== undefined && typeof given[flag] !== 'boolean') refuse(flag, 'true or false');
  }
  if (given.reject === true && given.accept === true) {
    throw new TypeError(`classify gave ${how}a verdict with both reject and accept; it must be one of them`);
  }
  return given as unknown as Verdict;
}
