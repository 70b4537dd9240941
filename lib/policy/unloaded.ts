import { Group } from '../group.ts';
import { broughtBy } from '../room.ts';

/** What makes a value of the options of each room. */
const MAKERS = { auth: 'credentials', breaker: 'circuitBreaker', limit: 'localLimiter' } as const;

/** In the place of a room's options, where the room is not loaded: it takes only a value that brings it. */
export function unloaded(name: keyof typeof MAKERS): Group {
  const bound = `a value: ${MAKERS[name]}({…})`;
  return new Group({
    fields: {},
    check: (value, path, problems) => {
      if (value !== undefined) problems.push({ path, bound, value, message: `core takes \`${path}\` as ${bound}` });
    },
    value: {
      is: (value) => broughtBy(value, name) !== undefined,
      // The caller's own list is not ours to freeze.
      copy: (value) => (Array.isArray(value) ? [...value] : value),
    },
  });
}
