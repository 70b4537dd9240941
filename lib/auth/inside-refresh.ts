/**
 * Tells whether a call is made from within the refresh of a credential.
 *
 * A refresh that uses the instance itself instead of the `http` that it is given would wait for itself: its request needs the
 * token that it is to get. Node can tell, by the asynchronous context; elsewhere `refreshTimeoutMs` ends the wait. Other
 * credentials are none of its business: a refresh may well need the token of another key, or of another instance.
 */
interface Refreshing {
  readonly owner: object;
  readonly outer: Refreshing | undefined;
  /** What a refresh leaves running behind (a timer, a poll) is not within it any more. */
  over: boolean;
}

interface Context {
  run<T>(store: Refreshing, body: () => T): T;
  getStore(): Refreshing | undefined;
  disable(): void;
}

const hooks = (globalThis as { process?: { getBuiltinModule?: (id: string) => unknown } }).process?.getBuiltinModule?.(
  'node:async_hooks',
) as { AsyncLocalStorage?: new () => Context } | undefined;

const context = hooks?.AsyncLocalStorage ? new hooks.AsyncLocalStorage() : undefined;
let running = 0;

export function isInsideRefresh(owner: object): boolean {
  if (running === 0) return false;
  for (let at = context?.getStore(); at !== undefined; at = at.outer) {
    if (at.owner === owner && !at.over) return true;
  }
  return false;
}

export async function insideRefresh<T>(owner: object, refresh: () => Promise<T>): Promise<T> {
  const refreshing: Refreshing = { owner, outer: context?.getStore(), over: false };
  running += 1;
  try {
    return await (context ? context.run(refreshing, refresh) : refresh());
  } finally {
    refreshing.over = true;
    running -= 1;
    // An enabled context costs every promise of the process a little.
    if (running === 0) context?.disable();
  }
}
