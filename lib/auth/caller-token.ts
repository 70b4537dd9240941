import { TokenRefreshError } from '../failure/errors.ts';
import type { Clock } from '../time/clock.ts';
import { withTimeout } from '../time/with-timeout.ts';
import type { Life } from './life.ts';
import type { ResolvedAuth, Token } from './options.ts';
import { tokenOf } from './token.ts';

/**
 * Stands for the token where the policy has none, since the session is in cookies. Its value is never written; each refresh puts another
 * in its place. So the rules of tokens hold for cookies too: a send that left before the last refresh is replayed without another.
 */
export const SESSION: Token = Object.freeze({ value: '' });

type Given = Token | string | null | undefined;

/** Asks the caller's `token`, anew each time, and waits no longer than it may take. */
export class CallerToken {
  /** What it gave last; `undefined` for none. */
  last: Token | undefined;
  readonly #context: { readonly key: string };
  readonly #token: ResolvedAuth['token'];
  readonly #bounds: { readonly clock: Clock; readonly cancellation: Life };
  readonly #loggedOut: () => void;
  /** What `last` was made of. */
  #given: Given;

  /** @param loggedOut is told when it gives none, and gave one before */
  constructor(
    context: { readonly key: string },
    token: ResolvedAuth['token'],
    bounds: { readonly clock: Clock; readonly life: Life },
    loggedOut: () => void,
  ) {
    this.#context = context;
    this.#token = token;
    this.#bounds = { clock: bounds.clock, cancellation: bounds.life };
    this.#loggedOut = loggedOut;
    if (token === undefined) this.last = SESSION;
  }

  /**
   * At once, where it gives no promise; `undefined` for none.
   *
   * @param withinMs how long it may take
   * @throws {TypeError} for what is no token, and {TokenRefreshError} when it takes too long or the credentials are closed
   */
  ask(withinMs: number): Token | undefined | Promise<Token | undefined> {
    if (this.#token === undefined) return SESSION;
    const given = this.#token(this.#context);
    return isPromise(given) ? this.#wait(given, withinMs) : this.#told(given);
  }

  /** The same, but an error is `undefined` too. */
  async askIfPossible(withinMs: number): Promise<Token | undefined> {
    try {
      return await this.ask(withinMs);
    } catch {
      return undefined;
    }
  }

  async #wait(pending: PromiseLike<Given>, ms: number): Promise<Token | undefined> {
    const result = await withTimeout(pending, { ms, ...this.#bounds });
    if (result.kind === 'done') return this.#told(result.value);
    const { over } = this.#bounds.cancellation;
    throw over ?? new TokenRefreshError(`auth.token did not answer within ${Math.round(ms)} ms`, undefined);
  }

  #told(given: Given): Token | undefined {
    // To check every character of a long token would cost a microsecond a send.
    if (typeof given === 'string' && given === this.#given) return this.last;
    const { last } = this;
    // A storage that has nothing gives null.
    this.last = given === undefined || given === null ? undefined : tokenOf(given, 'auth.token');
    if (this.last === undefined && last !== undefined) this.#loggedOut();
    this.#given = given;
    return this.last;
  }
}

const isPromise = (given: Given | PromiseLike<Given>): given is PromiseLike<Given> =>
  typeof (given as Partial<PromiseLike<Given>> | null | undefined)?.then === 'function';
