import { acrossCopies } from './across-copies.ts';

/**
 * Whether this code runs inside of something that `owner` is doing under that `key`; `false` where nobody can tell.
 *
 * For what would wait for itself. A refresh that uses the instance, and not the `http` that it is given, needs the very token that it is
 * fetching. A call made in `beforeSend` needs a permit while its own call holds the only one. Other keys and other owners do not count:
 * a refresh may well need the token of another tenant.
 *
 * Node can tell, by `AsyncLocalStorage`. Elsewhere the answer is `false`, and a timeout ends such a wait.
 */
export function isReentrant(owner: object, key?: string): boolean {
  if (scopes.running === 0) return false;
  for (let scope = storage?.getStore(); scope !== undefined; scope = scope.outer) {
    if (scope.owner === owner && scope.key === key && !scope.ended) return true;
  }
  return false;
}

/**
 * Runs `body` as something that `owner` does under `key`: `isReentrant(owner, key)` holds inside, until `body` returns or, where it returns
 * a promise, until that settles. A timer or a poll that it leaves behind is outside from then on.
 *
 * @param started called before `body`, with the function that ends this early
 */
export function trackReentrancy<T>(owner: object, body: () => T, key?: string, started?: (end: () => void) => void): T {
  const scope: Scope = { owner, key, outer: storage?.getStore(), ended: false };
  started?.(() => {
    scope.ended = true;
  });
  scopes.running += 1;
  const end = () => {
    scope.ended = true;
    scopes.running -= 1;
    // While it is on, it costs every promise of the process a little.
    if (scopes.running === 0) storage?.disable();
  };
  let result: T;
  try {
    result = storage ? storage.run(scope, body) : body();
  } catch (error) {
    end();
    throw error;
  }
  if (result instanceof Promise) result.then(end, end);
  else end();
  return result;
}

interface Scope {
  readonly owner: object;
  readonly key: string | undefined;
  /** The scope that this one began in. */
  readonly outer: Scope | undefined;
  ended: boolean;
}

/** The part of `AsyncLocalStorage` that is used here. */
interface Storage {
  run<T>(scope: Scope, body: () => T): T;
  getStore(): Scope | undefined;
  disable(): void;
}

const hooks = (globalThis as { process?: { getBuiltinModule?: (id: string) => unknown } }).process?.getBuiltinModule?.(
  'node:async_hooks',
) as { AsyncLocalStorage?: new () => Storage } | undefined;

/** Shared by all copies of this package, since two copies may share a limiter. */
const scopes = acrossCopies('reentrancy', () => ({
  storage: hooks?.AsyncLocalStorage && new hooks.AsyncLocalStorage(),
  running: 0,
}));
const { storage } = scopes;
