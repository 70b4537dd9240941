/**
 * On a value that stands in a policy in the place of options (a limiter, credentials, a breaker): the room that it belongs to. Registered, so
 * that a second copy of this package finds it too. Whoever changes what a room gives must change the number: that copy may be of another
 * version.
 */
const ROOM = Symbol.for('axios-holdfast.room/1');

/** What a policy can do that not every entry of the package has loaded, by its name in a policy. */
export interface NamedRoom {
  readonly name: string;
}

/** Has a value bring its room along, to where that is not loaded. */
export function bringing<V extends object>(value: V, room: NamedRoom | undefined): V {
  return Object.defineProperty(value, ROOM, { value: room });
}

/** The room that a value brings under that name in a policy; of a list, the first that one in it does. */
export function broughtBy(value: unknown, name: string): NamedRoom | undefined {
  if (Array.isArray(value)) return value.map((each) => broughtBy(each, name)).find((room) => room !== undefined);
  const room = (value as { readonly [ROOM]?: NamedRoom } | null | undefined)?.[ROOM];
  return room?.name === name ? room : undefined;
}
