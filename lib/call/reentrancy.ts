import { acrossCopies } from './across-copies.ts';

/**
 * Tells whether something is done from within something else, by the asynchronous context.
 *
 * A refresh that uses the instance itself instead of the `http` that it is given would wait for itself: its request needs the
 * token that it is to get. So would a call from within `beforeSend`, where its own call holds the only permit. Node can tell;
 * elsewhere a timeout ends the wait. Others are none of its business: a refresh may well need the token of another key, or of
 * another instance.
 */
interface Doing {
  readonly owner: object;
  /** Which of the owner's things it is about. */
  readonly key: string | undefined;
  readonly outer: Doing | undefined;
  /** What it leaves running behind (a timer, a poll) is not within it any more. */
  over: boolean;
}

interface Context {
  run<T>(store: Doing, body: () => T): T;
  getStore(): Doing | undefined;
  disable(): void;
}

const hooks = (globalThis as { process?: { getBuiltinModule?: (id: string) => unknown } }).process?.getBuiltinModule?.(
  'node:async_hooks',
) as { AsyncLocalStorage?: new () => Context } | undefined;

/** Of all copies of this package, since they may share a limiter. */
const doings = acrossCopies('doings', () => ({
  context: hooks?.AsyncLocalStorage && new hooks.AsyncLocalStorage(),
  running: 0,
}));
const { context } = doings;

export function isReentrant(owner: object, key?: string): boolean {
  if (doings.running === 0) return false;
  for (let at = context?.getStore(); at !== undefined; at = at.outer) {
    if (at.owner === owner && at.key === key && !at.over) return true;
  }
  return false;
}

/**
 * Does something within `owner`'s `key`; where it gives a promise, until that settles.
 *
 * @param given called at once, with what ends it early: what goes on after that is not within it any more
 */
export function trackReentrancy<T>(owner: object, body: () => T, key?: string, given?: (end: () => void) => void): T {
  const doing: Doing = { owner, key, outer: context?.getStore(), over: false };
  given?.(() => {
    doing.over = true;
  });
  doings.running += 1;
  const end = () => {
    doing.over = true;
    doings.running -= 1;
    // An enabled context costs every promise of the process a little.
    if (doings.running === 0) context?.disable();
  };
  let done: T;
  try {
    done = context ? context.run(doing, body) : body();
  } catch (error) {
    end();
    throw error;
  }
  if (done instanceof Promise) done.then(end, end);
  else end();
  return done;
}
