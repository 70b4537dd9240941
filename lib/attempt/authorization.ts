import type { InternalAxiosRequestConfig } from 'axios';
import type { Authenticator } from '../auth/authenticator.ts';
import type { Credential, Unauthorized } from '../auth/credential.ts';
import type { Token } from '../auth/options.ts';
import type { ApiError } from '../failure/api-error.ts';
import { TokenRefreshError } from '../failure/errors.ts';
import { mayRefresh } from '../failure/may-refresh.ts';
import { responseOf } from '../model/outcome.ts';
import { headerOf } from '../wait/header.ts';
import { bounded } from './bounded.ts';
import type { CallContext, Refusal } from './context.ts';

type Headers = InternalAxiosRequestConfig['headers'];

/** One call's dealings with its credential: a token for each send, and another after a 401. */
export class Authorization {
  private readonly context: CallContext;
  private readonly authenticator: Authenticator;
  private readonly credential: Credential;
  /** What the next send will carry, and then what the last one carried. */
  private token: Token | undefined;

  constructor(context: CallContext, authenticator: Authenticator, credential: Credential) {
    this.context = context;
    this.authenticator = authenticator;
    this.credential = credential;
  }

  /** Gets the token for the next send, waiting for a refresh if need be. */
  checkOut(): Promise<Refusal | undefined> {
    return this.take(this.credential.checkOut());
  }

  /** Gets it again, without waiting for a refresh; `'stale'` where that would take one. */
  async checkAgain(): Promise<Refusal | 'stale' | undefined> {
    let stale = false;
    const glance = this.credential.glance().then((token) => {
      stale = token === 'stale';
      return token === 'stale' ? undefined : token;
    });
    return (await this.take(glance)) ?? (stale ? 'stale' : undefined);
  }

  /** Whether writing the token changes more of a config than its headers. */
  get writesConfig(): boolean {
    return !this.authenticator.isStandard;
  }

  /** Writes the token; gives the function that takes it off again, for a send that turns out to go elsewhere. */
  write(config: InternalAxiosRequestConfig): (headers: Headers) => void {
    if (this.token === undefined) return () => {};
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

  /** Not where `beforeSend` wrote something else, nor where axios' own `auth` went out in its place. */
  private wasCarried({ value }: Token): boolean {
    if (!this.authenticator.isStandard) return true;
    const { wire, wireHeaders } = this.context.call;
    return !wire?.auth && headerOf(wireHeaders, 'authorization') === `Bearer ${value}`;
  }

  /** Gets a token other than the one that was refused, refreshing if need be. */
  async replace(unauthorized: Unauthorized): Promise<Refusal | undefined> {
    const { context, token } = this;
    if (token === undefined) return undefined;
    const refused = await this.take(this.credential.replace(token.value, unauthorized));
    if (refused !== undefined || this.token !== undefined || context.call.outcome === undefined) return refused;
    // Logged out meanwhile: there is no credential to replay with.
    return { outcome: context.call.outcome, why: 'not-retryable' };
  }

  /** Waits for a token no longer than the call may last; the refresh goes on for the others. */
  private async take(pending: Promise<Token | undefined>): Promise<Refusal | undefined> {
    const { call, cancellation, shared } = this.context;
    try {
      const result = await bounded(pending, shared.clock, call.deadlineAt, cancellation);
      if (result.kind === 'cancelled') return this.context.cancelled();
      if (result.kind === 'deadline') return this.context.overdue();
      this.token = result.value;
      return undefined;
    } catch (error) {
      if (!(error instanceof TokenRefreshError)) throw error;
      // No send may have carried them: an expired token is refreshed before the first.
      call.tokens = [...(call.tokens ?? []), ...this.credential.secrets];
      // An error of this call's own: it carries this call's answer.
      const answer = call.outcome && responseOf(call.outcome);
      return { outcome: { error: new TokenRefreshError(error.message, error.cause, answer) }, why: 'refresh-failed' };
    }
  }
}
