import { isRecord, shown } from '../check.ts';
import type { PolicyProblem } from '../failure/errors.ts';
import { Group } from '../group.ts';

/**
 * What is wrong with a call's policy though it would be right for `attach`. All calls of an attachment share its limiter, its budget and
 * its circuits; a call with numbers of its own would go round them, and nobody would know. The attached policy may be laid over itself,
 * so the same numbers are none of its own.
 */
export function numbersOfItsOwn(
  group: Group,
  policy: object,
  resolved: unknown,
  attached: unknown,
  path = '',
): readonly PolicyProblem[] {
  const given = attached === false ? group.defaults : attached;
  return Object.entries(policy).flatMap(([name, value]) => {
    const at = `${path}${name}`;
    const [ours, theirs] = [resolved, given].map((options) => (isRecord(options) ? options[name] : undefined));
    if (group.ofCall === undefined) {
      const inner = group.fields[name];
      return inner instanceof Group && inner.isOptions(value)
        ? numbersOfItsOwn(inner, value, ours, theirs, `${at}.`)
        : [];
    }
    if (value === undefined || group.ofCall.options.includes(name)) return [];
    // A limiter that was handed in has no numbers.
    if (group.isOptions(given) && JSON.stringify(ours) === JSON.stringify(theirs)) return [];
    const bound = `left out on a call, or as it is attached: ${group.ofCall.instead ?? 'give it to attach'}`;
    return [{ path: at, bound, value, message: `${at} must be ${bound}; got ${shown(value)}` }];
  });
}
