import type { AxiosResponse } from 'axios';

/**
 * The library's own errors: only for what axios cannot express. Each has a stable `code`, and brands under registered
 * symbols, so that `isHoldfastError` and `instanceof` know the errors of a second copy of the package as well.
 */
const BRAND = Symbol.for('axios-holdfast.error');

export type HoldfastErrorCode =
  | 'ERR_POLICY_INVALID'
  | 'ERR_LIMIT_QUEUE_FULL'
  | 'ERR_LIMIT_WAIT_TOO_LONG'
  | 'ERR_LIMIT_CLOSED'
  | 'ERR_LIMIT_DEADLINE'
  | 'ERR_TOKEN_REFRESH'
  | 'ERR_CIRCUIT_OPEN';

class HoldfastError<Code extends HoldfastErrorCode = HoldfastErrorCode> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    // Not enumerable, like `name` on the built-in errors: neither belongs in a log of the error's own fields.
    Object.defineProperty(this, BRAND, { value: true });
    Object.defineProperty(this, 'name', { value: new.target.name, configurable: true, writable: true });
  }
}

/**
 * Makes `instanceof` of this very class go by a brand that its errors have in every copy of the package. A class that extends
 * it elsewhere is asked as ever.
 */
function brand(known: abstract new (...args: never[]) => HoldfastError, name: string): void {
  const mark = Symbol.for(`axios-holdfast.${name}`);
  Object.defineProperty(known.prototype, mark, { value: true });
  Object.defineProperty(known, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      if (this !== known) return Function.prototype[Symbol.hasInstance].call(this, value);
      return typeof value === 'object' && value !== null && (value as { [mark]?: unknown })[mark] === true;
    },
  });
}

/** One thing that is wrong with a policy. */
export interface PolicyProblem {
  /** Where, for instance `retry.maxRetries`. */
  readonly path: string;
  /** What is allowed there. */
  readonly bound: string;
  /** What was found. */
  readonly value: unknown;
  readonly message: string;
}

/** A policy is wrong: thrown by `attach` and `mergePolicies`, and what a call with a wrong policy of its own rejects with. */
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

  /** Without the values: one may be a secret that was put in the wrong place. */
  toJSON(): { readonly [name: string]: unknown } {
    const problems = this.problems.map(({ path, bound, message }) => ({ path, bound, message }));
    return { code: this.code, message: this.message, problems };
  }
}

type LimitErrorCode = Extract<HoldfastErrorCode, `ERR_LIMIT_${string}`>;

/** A limiter refused a send; `code` says which knob. */
export class LimitError extends HoldfastError<LimitErrorCode> {
  static {
    brand(LimitError, 'LimitError');
  }

  /** Where the server wants nothing for longer than the call waits: until when, ms since the epoch. */
  declare readonly retryAt?: number;

  constructor(code: LimitErrorCode, message: string, { retryAt, ...options }: LimitErrorOptions = {}) {
    super(code, message, options);
    if (retryAt !== undefined) this.retryAt = retryAt;
  }
}

interface LimitErrorOptions extends ErrorOptions {
  readonly retryAt?: number | undefined;
}

/** The token could not be refreshed; `cause` is the refresh's own error. */
export class TokenRefreshError extends HoldfastError {
  static {
    brand(TokenRefreshError, 'TokenRefreshError');
  }

  /** The last answer that the call got: as a rule the 401 that asked for the refresh; none where the token had expired. */
  declare readonly response: AxiosResponse | undefined;

  constructor(message: string, cause: unknown, response?: AxiosResponse) {
    super('ERR_TOKEN_REFRESH', message, { cause });
    // Not enumerable: its request holds the token that was refused, and turns on itself, which JSON cannot write.
    Object.defineProperty(this, 'response', { value: response });
  }
}

/** The circuit breaker is open, so nothing was sent. */
export class CircuitOpenError extends HoldfastError {
  static {
    brand(CircuitOpenError, 'CircuitOpenError');
  }

  /** Instant of the next probe, ms since the epoch. */
  readonly retryAt: number;

  constructor(message: string, retryAt: number) {
    super('ERR_CIRCUIT_OPEN', message);
    this.retryAt = retryAt;
  }
}

/** Whether an error is one of this library's own classes, from whichever copy of the package. Never throws. */
export function isHoldfastError(error: unknown): error is Error & { readonly code: HoldfastErrorCode } {
  try {
    return typeof error === 'object' && error !== null && (error as { [BRAND]?: unknown })[BRAND] === true;
  } catch {
    return false; // a proxy
  }
}
