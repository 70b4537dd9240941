import type { InternalAxiosRequestConfig } from 'axios';
import { headerOf } from '../call/header.ts';
import { type Outcome, responseOf } from '../call/outcome.ts';
import { apiErrorOf } from '../classify/error-body.ts';
import type { CallContext, Refusal } from '../context.ts';
import type { ApiError } from '../failure/api-error.ts';
import { parseChallenges } from '../failure/challenge.ts';
import { TokenRefreshError } from '../failure/errors.ts';
import { mayRefresh } from '../failure/may-refresh.ts';
import { bounded } from '../time/bounded.ts';
import type { Authenticator } from './authenticator.ts';
import type { Credential, Unauthorized } from './credential.ts';
import type { Token } from './options.ts';

type Headers = InternalAxiosRequestConfig['headers'];

/** One call's dealings with its credential: a token for each send, and another after a 401. */
export class Authorization {
  private readonly context: CallContext;
  private readonly authenticator: Authenticator;
  private readonly credential: Credential;
  /** What the next send will carry, and then what the last one carried. */
  private token: Token | undefined;
  /** Whether the next send is to carry another token than the last. */
  private replacing = false;

  /** Whether the next send may carry a token: it may go elsewhere than the call itself. */
  goesAlong = true;

  constructor(context: CallContext, authenticator: Authenticator, credential: Credential) {
    this.context = context;
    this.authenticator = authenticator;
    this.credential = credential;
  }

  /** Gets the token for the next send, at once where it is at hand; else waits, for a refresh if need be. */
  checkOut(): Refusal | undefined | Promise<Refusal | undefined> {
    return this.get(
      () => this.credential.checkOut(this.authenticator.beginner),
      (token) => this.use(token),
    );
  }

  /** Gets it again, without waiting for a refresh; `'stale'` where that would take one. */
  checkAgain(): Refusal | 'stale' | undefined | Promise<Refusal | 'stale' | undefined> {
    return this.get(
      () => this.credential.glance(),
      (token) => {
        this.token = token === 'stale' ? undefined : token;
        return token === 'stale' ? token : undefined;
      },
    );
  }

  /** The sends to come go there: with a token, if that may be seen there. */
  reroute(config: InternalAxiosRequestConfig): void {
    this.goesAlong = this.authenticator.maySee(config, this.context.call.config);
    if (!this.goesAlong) this.token = undefined;
  }

  /** Writes the token; gives the function that takes it off again, for a send that turns out to go elsewhere. */
  write(config: InternalAxiosRequestConfig): (headers: Headers) => void {
    if (this.token === undefined || !this.authenticator.writes) return () => {};
    const { call } = this.context;
    call.tokens ??= [];
    call.tokens.push(this.token.value);
    return this.authenticator.write(config, this.token);
  }

  /** Takes the token off a send that has been redirected to where it must not be seen. */
  guard(config: InternalAxiosRequestConfig, takeOff: (headers: Headers) => void): void {
    if (this.authenticator.maySee(config, this.context.call.config)) return;
    takeOff(config.headers);
    this.token = undefined;
  }

  /**
   * Whether a refresh may help: a token of ours was refused, and not for what it may do or for what the policy names.
   *
   * @param explicit whether the policy says that this answer calls for one, whatever the challenges say
   */
  isRefreshable({ challenges, api }: Unauthorized, explicit: boolean): boolean {
    if (this.token === undefined || !this.wasCarried(this.token)) return false;
    if (!explicit && !mayRefresh(challenges)) return false;
    const { neverRefreshOn } = this.authenticator.options;
    if (challenges.some(({ params: { error } }) => error !== undefined && neverRefreshOn.includes(error))) return false;
    for (let at: ApiError | undefined = api; at !== undefined; at = at.inner) {
      if (neverRefreshOn.includes(at.code)) return false;
    }
    return true;
  }

  /** The answer to a replay was another 401: the token that the refresh gave does not help. */
  refusedAgain(): void {
    if (this.token !== undefined) this.credential.refused(this.token.value);
  }

  /** Whether the token of the last send was known to be refused though a refresh has just given it. */
  get isRefusedAnew(): boolean {
    return this.token !== undefined && this.credential.isRefusedAnew(this.token.value);
  }

  /** Why the last send carried no token, though the policy has one; `undefined` where it may have. */
  get bareBecause(): string | undefined {
    if (this.token !== undefined) return undefined;
    const { call } = this.context;
    return this.authenticator.withheldFrom(call.wire ?? call.config, call.config) ?? 'auth.token gave none';
  }

  /** Not where `beforeSend` wrote something else, nor where axios' own `auth` went out in its place. */
  private wasCarried({ value }: Token): boolean {
    if (!this.authenticator.isStandard || !this.authenticator.writes) return true;
    const { wire, wireHeaders } = this.context.call;
    return !wire?.auth && headerOf(wireHeaders, 'authorization') === `Bearer ${value}`;
  }

  /** Sees to it that there is a token other than the one that was refused, refreshing if need be. */
  async replace(unauthorized: Unauthorized): Promise<Refusal | undefined> {
    const { token } = this;
    if (token === undefined) return undefined;
    this.replacing = true;
    return this.get(
      () => this.credential.replace(token.value, unauthorized, this.authenticator.beginner),
      () => undefined,
    );
  }

  private use(token: Token | undefined): Refusal | undefined {
    this.token = token;
    const { outcome } = this.context.call;
    // Logged out meanwhile: there is no credential to replay with.
    const isLoggedOut = this.replacing && token === undefined && outcome !== undefined;
    this.replacing = false;
    return isLoggedOut ? { outcome, why: 'not-retryable' } : undefined;
  }

  /** Gets something, and says what follows from it: at once where it is there, else no later than the call may last. */
  private get<T, Followed>(
    begin: () => T | Promise<T>,
    follow: (got: T) => Followed,
  ): Followed | Refusal | Promise<Followed | Refusal> {
    try {
      const got = begin();
      return got instanceof Promise ? this.wait(got, follow) : follow(got);
    } catch (error) {
      return this.refused(error);
    }
  }

  /** The refresh goes on for the others. */
  private async wait<T, Followed>(pending: Promise<T>, follow: (got: T) => Followed): Promise<Followed | Refusal> {
    const { call, cancellation, shared } = this.context;
    let refuse = () => {};
    const closed = new Promise<never>((_, reject) => {
      refuse = () =>
        reject(new TokenRefreshError('the attachment was closed while the call waited for a token', undefined));
    });
    shared.queue.add(refuse);
    try {
      const result = await bounded(Promise.race([pending, closed]), shared.clock, call.deadlineAt, cancellation);
      if (result.kind === 'cancelled') return this.context.cancelled();
      if (result.kind === 'deadline') return this.context.overdue();
      return follow(result.value);
    } catch (error) {
      return this.refused(error);
    } finally {
      shared.queue.delete(refuse);
    }
  }

  /** @throws what is no failed refresh */
  private refused(error: unknown): Refusal {
    if (!(error instanceof TokenRefreshError)) throw error;
    const { call } = this.context;
    // No send may have carried them: an expired token is refreshed before the first.
    call.tokens = [...(call.tokens ?? []), ...this.credential.secrets];
    // An error of this call's own: it carries this call's answer.
    const answer = call.outcome && responseOf(call.outcome);
    return { outcome: { error: new TokenRefreshError(error.message, error.cause, answer) }, why: 'refresh-failed' };
  }
}

/** What a 401 says, for the refresh. */
export function unauthorizedBy(outcome: Outcome | undefined, errorText: string | undefined): Unauthorized {
  const response = outcome && responseOf(outcome);
  const challenges = parseChallenges(headerOf(response?.headers, 'www-authenticate') ?? '');
  return { challenges, api: apiErrorOf(outcome, errorText) };
}
