import { EVENT_NAMES, type EventName } from '../call/events.ts';

interface Channel {
  readonly hasSubscribers: boolean;
  publish(message: unknown): void;
}

interface DiagnosticsChannel {
  channel(name: string): Channel;
}

const NEVER: Channel = { hasSubscribers: false, publish: () => {} };

// By `getBuiltinModule` and not by an import, which bundlers for the browser would follow.
const diagnostics = (
  globalThis as { process?: { getBuiltinModule?: (id: string) => unknown } }
).process?.getBuiltinModule?.('node:diagnostics_channel') as DiagnosticsChannel | undefined;

/** Node's diagnostics channel `holdfast:<event>` of each event; where there are none, one that nobody subscribes to. */
export const channels = Object.fromEntries(
  EVENT_NAMES.map((name) => [name, diagnostics?.channel(`holdfast:${name}`) ?? NEVER]),
) as { readonly [E in EventName]: Channel };
