import type { AUTH_ROOM } from '../auth/room.ts';
import type { BREAKER_ROOM } from '../breaker/room.ts';
import type { Group } from '../group.ts';
import type { LIMIT_ROOM } from '../limit/room.ts';
import { broughtBy } from '../room.ts';
import type { Policy, ResolvedPolicy } from './options.ts';
import { policyGroup } from './policy.ts';
import { asWritten, type PreparedPolicy } from './prepared.ts';

/** The rooms that not every entry of the package loads. */
export interface Rooms {
  readonly auth: typeof AUTH_ROOM;
  readonly breaker: typeof BREAKER_ROOM;
  readonly limit: typeof LIMIT_ROOM;
}

export type RoomName = keyof Rooms;

const NAMES: readonly RoomName[] = ['auth', 'breaker', 'limit'];

/** The rooms that are loaded, and so what a policy may say. */
export class House {
  readonly rooms: Partial<Rooms>;
  readonly policy: Group<Policy, ResolvedPolicy>;

  constructor(rooms: Partial<Rooms>) {
    this.rooms = rooms;
    this.policy = policyGroup(rooms);
  }

  /** With the rooms that the values in these policies bring. */
  with(...policies: readonly (Policy | PreparedPolicy | undefined)[]): House {
    const more: { [N in RoomName]?: Rooms[N] } = {};
    for (const policy of policies) for (const name of NAMES) Object.assign(more, this.#brought(policy, name));
    return Object.keys(more).length === 0 ? this : new House({ ...more, ...this.rooms });
  }

  #brought(policy: Policy | PreparedPolicy | undefined, name: RoomName): Partial<Rooms> | undefined {
    // Whatever it is: it has yet to be checked.
    const room = this.rooms[name] ? undefined : broughtBy(policy && asWritten(policy)?.[name], name);
    return room && { [name]: room };
  }

  /** The room that a policy's value is for: it has been checked, so that it brings the one that is not loaded. */
  roomFor<N extends RoomName>(name: N, value: unknown): Rooms[N] {
    return (this.rooms[name] ?? broughtBy(value, name)) as Rooms[N];
  }
}
