import { EVENT_NAMES, type EventName } from '../call/events.ts';

interface Channel {
  readonly hasSubscribers: boolean;
  publish(message: unknown): void;
}

interface DiagnosticsChannel {
  channel(name: string): Channel;
}

const NEVER: Channel = { hasSubscribers: false, publish: () => {} };

/**
 * Node's diagnostics channels `holdfast:<event>`, or silent stand-ins where that module does not exist. Asked for by
 * `getBuiltinModule`, so that bundlers for the browser see no import.
 */
const diagnostics = (
  globalThis as { process?: { getBuiltinModule?: (id: string) => unknown } }
).process?.getBuiltinModule?.('node:diagnostics_channel') as DiagnosticsChannel | undefined;

export const channels = Object.fromEntries(
  EVENT_NAMES.map((name) => [name, diagnostics?.channel(`holdfast:${name}`) ?? NEVER]),
) as { readonly [E in EventName]: Channel };
