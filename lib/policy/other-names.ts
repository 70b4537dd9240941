import { eachMeans, hereItIs, type Names } from '../check.ts';
import { Group } from '../group.ts';
import { ELSEWHERE } from '../retry/other-names.ts';

/** Data for the messages about wrong names, where a mere "not an option" would leave people to search. */

type Rooms = { readonly [name: string]: Group };

/** Our own that stand in one place only, in a policy's group or a group of that: `capacity` is `retry.budget.capacity`. */
function ourNames(rooms: Rooms): Names {
  const places = Object.entries(rooms).flatMap(([name, group]) => placesIn(group, name));
  const isAlone = ([name]: readonly [string, string]) => places.filter(([other]) => other === name).length === 1;
  return Object.assign({}, ...places.filter(isAlone).map(([name, path]) => hereItIs(path, name)));
}

function placesIn(group: Group, path: string): readonly (readonly [name: string, path: string])[] {
  return Object.entries(group.fields).flatMap(([name, option]) => [
    [name, `${path}.${name}`] as const,
    ...(option instanceof Group ? placesIn(option, `${path}.${name}`) : []),
  ]);
}

/** At the top of a policy. */
export const policyNames = (rooms: Rooms): Names => ({
  ...ourNames(rooms),
  ...ELSEWHERE,
  ...hereItIs('retry', 'raxConfig', 'axios-retry', 'axiosRetry'),
  ...hereItIs('limit', 'rateLimit', 'rateLimiter', 'throttle'),
  ...hereItIs('breaker', 'circuitBreaker', 'circuit'),
  ...eachMeans('it is an option of attach: attach(instance, policy, { replace: true })', 'replace'),
});

/** In `on`. */
export const EVENTS: Names = {
  ...eachMeans('did you mean finished?', 'error', 'failed', 'failure', 'success', 'end'),
  ...eachMeans('did you mean sent?', 'request', 'send'),
  ...eachMeans('did you mean answered?', 'response', 'answer'),
};
