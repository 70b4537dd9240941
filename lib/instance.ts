import type { AxiosInstance } from 'axios';
import { kindOf } from './check.ts';
import { POLICY_OPTIONS, type Policy } from './policy/options.ts';

/** What an attachment leaves on its instance, so that the next `attach` finds it. */
export interface Mark {
  /** The request interceptor that it registered. */
  readonly intercept: unknown;
  /** What attached it; `undefined` where that is `attach`. */
  readonly entry?: string | undefined;
  /** The policy that holds, as it was given. A mark of an older copy has none. */
  policy?(): Policy;
  detach(): void;
  /** File and line of the call of `attach`; `undefined` where the engine does not tell. */
  place(): string | undefined;
}

/** Registered, so that a second copy of this package finds the mark too. */
const ATTACHED = Symbol.for('axios-holdfast.attached');

/** @throws {TypeError} where `value` is no axios instance, or a frozen one. It says what was given instead */
export function requireInstance(value: unknown): asserts value is AxiosInstance {
  if (!hasInterceptors(value) || isModule(value)) {
    const wanted = 'attach needs an axios instance: axios itself, or what axios.create() gives';
    throw new TypeError(`${wanted}; got ${instead(value)}`);
  }
  if (!Object.isExtensible(value)) {
    throw new TypeError('attach cannot write on this axios instance: it is frozen; attach first, then freeze it');
  }
}

/** The mark of the attachment that an instance has. One whose interceptor has been cleared away is attached no more. */
export function markOf(instance: AxiosInstance): Mark | undefined {
  const mark = (instance as { [ATTACHED]?: Mark })[ATTACHED];
  return mark !== undefined && isRegistered(instance, mark.intercept) ? mark : undefined;
}

export function setMark(instance: AxiosInstance, mark: Mark): void {
  Object.defineProperty(instance, ATTACHED, { value: mark, configurable: true });
}

/** Removes the mark, unless another attachment has put its own there. */
export function removeMark(instance: AxiosInstance, mark: Mark): void {
  if ((instance as { [ATTACHED]?: Mark })[ATTACHED] === mark) Reflect.deleteProperty(instance, ATTACHED);
}

/** Whether the interceptor is still registered: axios' `interceptors.request.clear()` removes them all. */
export function isRegistered({ interceptors }: AxiosInstance, intercept: unknown): boolean {
  const { handlers } = interceptors.request as unknown as {
    handlers?: readonly ({ readonly fulfilled?: unknown } | null)[];
  };
  return handlers === undefined || handlers.some((handler) => handler?.fulfilled === intercept);
}

/** Where `callee` was called from. The engine keeps that now; the text is made when somebody asks for it. */
export function placeOfCall(callee: (...args: never[]) => unknown): () => string | undefined {
  const trace: { stack?: unknown } = {};
  // Not every engine has it, so the typings of the language don't.
  (Error as { captureStackTrace?(target: object, callee: unknown): void }).captureStackTrace?.(trace, callee);
  return () => {
    const { stack } = trace;
    const [, line] = typeof stack === 'string' ? stack.split('\n') : [];
    // "at name (place)" or "at place". Folders may have parentheses in their names.
    const [, named, bare] = /^\s*at (?:.*? \((.+:\d+):\d+\)|(?:async )?(.+:\d+):\d+)$/.exec(line ?? '') ?? [];
    return named ?? bare;
  };
}

function instead(value: unknown): string {
  if (typeof value === 'function') {
    const kind = kindOf(value);
    return kind.startsWith('the class') ? `${kind}: make an instance of it` : `${kind}: call it?`;
  }
  // `import * as axios`, and `require` of what was compiled from ESM.
  if (hasInterceptors(read(value, 'default'))) {
    return "the module and not its default export: write `import axios from 'axios'`";
  }
  if (typeof read(value, 'detach') === 'function') return 'an attachment, which has an instance already';
  if (CONFIG.some((name) => read(value, name) !== undefined))
    return 'a config: axios.create(config) makes an instance of it';
  if (POLICY_OPTIONS.some((name) => read(value, name) !== undefined))
    return 'a policy: the instance comes first, as in attach(instance, policy)';
  return kindOf(value);
}

/** An object with one of these looks like axios' config. */
const CONFIG = ['baseURL', 'url', 'headers', 'timeout', 'adapter', 'transformRequest', 'params'];

const hasInterceptors = (value: unknown): boolean =>
  typeof read(read(read(value, 'interceptors'), 'request'), 'use') === 'function';

/** Some loaders make a module that has the fields of its default export too. */
const isModule = (value: unknown): boolean => read(value, Symbol.toStringTag) === 'Module';

function read(value: unknown, name: string | symbol): unknown {
  try {
    return (value as { readonly [name: string | symbol]: unknown } | null | undefined)?.[name];
  } catch {
    return undefined;
  }
}
