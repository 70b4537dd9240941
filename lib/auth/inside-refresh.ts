/**
 * Tells whether a call is made from within a refresh.
 *
 * A refresh that uses the instance itself instead of the `http` that it is given would wait for itself: its request needs the
 * token that it is to get. Node can tell, by the asynchronous context; elsewhere `refreshTimeoutMs` ends the wait.
 */
interface Context {
  run<T>(store: true, body: () => T): T;
  getStore(): true | undefined;
  disable(): void;
}

const hooks = (globalThis as { process?: { getBuiltinModule?: (id: string) => unknown } }).process?.getBuiltinModule?.(
  'node:async_hooks',
) as { AsyncLocalStorage?: new () => Context } | undefined;

const context = hooks?.AsyncLocalStorage ? new hooks.AsyncLocalStorage() : undefined;
let running = 0;

export function isInsideRefresh(): boolean {
  return running > 0 && context?.getStore() === true;
}

export async function insideRefresh<T>(refresh: () => Promise<T>): Promise<T> {
  running += 1;
  try {
    return await (context ? context.run(true, refresh) : refresh());
  } finally {
    running -= 1;
    // An enabled context costs every promise of the process a little.
    if (running === 0) context?.disable();
  }
}
