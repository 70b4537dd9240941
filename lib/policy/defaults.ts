import { type DefaultsOfRooms, type ResolvedPolicy, ROOMS } from './options.ts';
import { POLICY } from './policy.ts';

/** What a policy that says nothing means. */
export const DEFAULT_POLICY: ResolvedPolicy = POLICY.defaults;

/** What an option that is on, or is turned on by an object, starts from. The table in docs/options.md is checked against it. */
export const DEFAULTS = {
  ...DEFAULT_POLICY,
  ...(Object.fromEntries(Object.entries(ROOMS).map(([name, { defaults }]) => [name, defaults])) as DefaultsOfRooms),
};
