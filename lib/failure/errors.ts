import type { AxiosResponse } from 'axios';

/** The `code` of each error of this library's own. They are stable. */
export type HoldfastErrorCode =
  /** A policy is wrong: `InvalidPolicyError`. */
  | 'ERR_POLICY_INVALID'
  /** As many sends wait already as `limit.maxQueue` allows: `LimitError`, as the next three. */
  | 'ERR_LIMIT_QUEUE_FULL'
  /**
   * The wait would be longer than `limit.maxWaitMs`, or than the call waits where the server has named a pause; or nobody knows how long,
   * since the Redis of the limit is lost (`onStoreLoss: 'closed'`) or refuses.
   */
  | 'ERR_LIMIT_WAIT_TOO_LONG'
  /** The limiter, or the attachment, has been closed. */
  | 'ERR_LIMIT_CLOSED'
  /** The permit would come after the call's deadline. */
  | 'ERR_LIMIT_DEADLINE'
  /** `auth.refresh` failed: `TokenRefreshError`. */
  | 'ERR_TOKEN_REFRESH'
  /** The circuit breaker let nothing through: `CircuitOpenError`. */
  | 'ERR_CIRCUIT_OPEN';

/** All our errors have it, in every copy of the package: the symbol is registered. */
const BRAND = Symbol.for('axios-holdfast.error');

/** The errors of our own are only for what axios can't express. */
class HoldfastError<Code extends HoldfastErrorCode = HoldfastErrorCode> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    // Not enumerable, as `name` is on built-in errors: whoever logs the fields of an error should not see them.
    Object.defineProperty(this, BRAND, { value: true });
    Object.defineProperty(this, 'name', { value: new.target.name, configurable: true, writable: true });
  }
}

/**
 * Makes `instanceof` know the errors of every copy of the package: the errors of a class get a brand under a registered symbol, and
 * `instanceof` looks for that. A class of somebody else that extends ours is left as it is. And gives the class back its name, which bundlers
 * shorten.
 */
function brand(known: abstract new (...args: never[]) => HoldfastError, name: string): void {
  const mark = Symbol.for(`axios-holdfast.${name}`);
  Object.defineProperty(known, 'name', { value: name });
  Object.defineProperty(known.prototype, mark, { value: true });
  Object.defineProperty(known, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      if (this !== known) return Function.prototype[Symbol.hasInstance].call(this, value);
      return typeof value === 'object' && value !== null && (value as { [mark]?: unknown })[mark] === true;
    },
  });
}

/** One thing that is wrong in a policy. */
export interface PolicyProblem {
  /** Where, for instance `retry.maxRetries`. */
  readonly path: string;
  /** What is allowed there, in words, for instance `an integer of at least 0`. */
  readonly bound: string;
  /** What was found there. It may be a secret that stands in the wrong place. */
  readonly value: unknown;
  /** All of it in one sentence. It holds at most 40 characters of a value, and nothing from within an object. */
  readonly message: string;
}

/**
 * A policy is wrong. Thrown by whatever takes a policy or a part of one (`attach`, `mergePolicies`, `preparePolicy`, `credentials`, the
 * limiters); a call with a wrong policy of its own rejects with it.
 */
export class InvalidPolicyError extends HoldfastError {
  static {
    brand(InvalidPolicyError, 'InvalidPolicyError');
  }

  /** Everything that is wrong, not only the first. */
  readonly problems: readonly PolicyProblem[];

  constructor(problems: readonly PolicyProblem[]) {
    super('ERR_POLICY_INVALID', `Invalid holdfast policy: ${problems.map(({ message }) => message).join('; ')}`);
    this.problems = problems;
  }

  /** Without the values, since one may be a secret. */
  toJSON(): { readonly [name: string]: unknown } {
    const problems = this.problems.map(({ path, bound, message }) => ({ path, bound, message }));
    return { code: this.code, message: this.message, problems };
  }
}

export type LimitErrorCode = Extract<HoldfastErrorCode, `ERR_LIMIT_${string}`>;

/** A limiter refused a send, and the call had no answer to end with. `code` says why, see `HoldfastErrorCode`. */
export class LimitError extends HoldfastError<LimitErrorCode> {
  static {
    brand(LimitError, 'LimitError');
  }

  /** Where the server has named a pause that is longer than the call waits: when it ends, in ms since the epoch. */
  declare readonly retryAt?: number;
  /** Where a call has several limits: the key of the one that refused it. */
  declare readonly key?: string;

  constructor(code: LimitErrorCode, message: string, { retryAt, key, ...options }: LimitErrorOptions = {}) {
    super(code, message, options);
    if (retryAt !== undefined) this.retryAt = retryAt;
    if (key !== undefined) this.key = key;
  }
}

interface LimitErrorOptions extends ErrorOptions {
  readonly retryAt?: number | undefined;
  readonly key?: string | undefined;
}

/** The token could not be refreshed. `cause` is the error of the refresh. */
export class TokenRefreshError extends HoldfastError {
  static {
    brand(TokenRefreshError, 'TokenRefreshError');
  }

  /** The last answer to the call: as a rule the 401. `undefined` where none came, since the token was known to have expired. */
  declare readonly response: AxiosResponse | undefined;

  constructor(message: string, cause: unknown, response?: AxiosResponse) {
    super('ERR_TOKEN_REFRESH', message, { cause });
    // Not enumerable: its request holds the refused token, and refers to itself, so that JSON can't write it.
    Object.defineProperty(this, 'response', { value: response });
  }
}

/** The circuit breaker is open, and the call had no answer to end with: nothing was sent. */
export class CircuitOpenError extends HoldfastError {
  static {
    brand(CircuitOpenError, 'CircuitOpenError');
  }

  /** When the next probe may be sent, in ms since the epoch. */
  readonly retryAt: number;

  constructor(message: string, retryAt: number) {
    super('ERR_CIRCUIT_OPEN', message);
    this.retryAt = retryAt;
  }
}

/** Whether an error is one of this library's own, of whichever copy of the package. Never throws. */
export function isHoldfastError(error: unknown): error is Error & { readonly code: HoldfastErrorCode } {
  try {
    return typeof error === 'object' && error !== null && (error as { [BRAND]?: unknown })[BRAND] === true;
  } catch {
    return false; // a proxy
  }
}
