/** What is there of these before a test puts fake ones in their place; each is missing somewhere. */
const { setImmediate, MessageChannel, setTimeout } = globalThis as {
  readonly setImmediate?: (go: () => void) => unknown;
  readonly MessageChannel?: typeof globalThis.MessageChannel;
  readonly setTimeout: typeof globalThis.setTimeout;
};

/** Runners that fake timers in every test have done so before this file is loaded. Then these would never fire. */
const isReal = (timer: object | undefined): boolean => timer !== undefined && !('clock' in timer);

/**
 * Lets everything that can go on without time passing go on: promises first, then one turn of the event loop. Fake timers make no
 * difference.
 */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (setImmediate !== undefined && isReal(setImmediate)) setImmediate(resolve);
    else if (MessageChannel !== undefined) throughChannel(MessageChannel, resolve);
    else if (isReal(setTimeout)) setTimeout(resolve, 0);
    else afterPromises(MOST_PROMISES, resolve);
  });
}

/** One after the other, at most, in what goes on without time passing. */
const MOST_PROMISES = 1_000;

/** A page of jsdom has no messages. */
function afterPromises(count: number, resolve: () => void): void {
  if (count === 0) resolve();
  else Promise.resolve().then(() => afterPromises(count - 1, resolve));
}

/** Nobody fakes messages. A channel for each: one alone hands on many messages in a turn. */
function throughChannel(Channel: typeof globalThis.MessageChannel, resolve: () => void): void {
  const { port1, port2 } = new Channel();
  port1.onmessage = () => {
    port1.close();
    resolve();
  };
  port2.postMessage(undefined);
}
