import type { InternalAxiosRequestConfig } from 'axios';
import { headerOf } from '../call/header.ts';
import type { LiveCall } from '../call/live-call.ts';
import { responseOf } from '../call/outcome.ts';
import type { Refusal } from '../call/refusal.ts';
import type { Station } from '../call/station.ts';
import { TOKEN_WAIT } from '../call/wait.ts';
import type { ApiError } from '../failure/api-error.ts';
import { TokenRefreshError } from '../failure/errors.ts';
import { mayRefresh } from '../failure/may-refresh.ts';
import type { Clock } from '../time/clock.ts';
import { withTimeout } from '../time/with-timeout.ts';
import type { Authenticator } from './authenticator.ts';
import type { Credential } from './credential.ts';
import type { Token } from './options.ts';
import type { Unauthorized } from './refresh.ts';

type Headers = InternalAxiosRequestConfig['headers'];

/** What is remembered of a call here. */
interface Slot {
  /** `undefined` where the call is to carry no token. */
  readonly credential: Credential | undefined;
  /** What the next send will carry, and then what the last one carried. */
  token: Token | undefined;
  /** Whether it is the token for a replay, which need not be asked for again. */
  isForReplay: boolean;
  /** Whether the next send may carry a token: it may go elsewhere than the call itself. */
  goesAlong: boolean;
  /** Takes the token off a request that turns out to go elsewhere. */
  takeOff: ((headers: Headers) => void) | undefined;
}

export interface AuthorizedCall extends LiveCall {
  auth: Slot | undefined;
}

/** What the station needs of its attachment. */
interface Ports {
  readonly clock: Clock;
  /** How each call that waits for the limiter or for a token is refused when the attachment is closed. */
  readonly queue: Set<() => void>;
}

/** The credential on a call's way: a token for each send, and another after a 401. */
export class AuthStation implements Station<AuthorizedCall> {
  readonly #ports: Ports;
  readonly #authenticator: Authenticator;

  constructor(ports: Ports, authenticator: Authenticator) {
    this.#ports = ports;
    this.#authenticator = authenticator;
  }

  /** Gets the token for the next send, at once where it is at hand; else waits, for a refresh if need be. */
  enter(call: AuthorizedCall): Refusal | undefined | Promise<Refusal | undefined> {
    const slot = this.#slotOf(call);
    const { credential, goesAlong } = slot;
    if (credential === undefined || !goesAlong) return undefined;
    if (slot.isForReplay) {
      slot.isForReplay = false;
      return undefined;
    }
    try {
      const token = credential.currentToken(this.#authenticator.beginner);
      if (token instanceof Promise) return this.#waitFor(call, this.#carry(call, slot, token));
      slot.token = token;
      return undefined;
    } catch (error) {
      return refused(call, slot, error);
    }
  }

  /** Gets it again, without waiting for a refresh; `'stale'` where that would take one. */
  async checkAgain(call: AuthorizedCall): Promise<Refusal | 'stale' | undefined> {
    const slot = this.#slotOf(call);
    const { credential, goesAlong } = slot;
    if (credential === undefined || !goesAlong) return undefined;
    let isStale = false;
    const checked = async () => {
      const token = await credential.tokenIfFresh();
      isStale = token === 'stale';
      return token === 'stale' ? undefined : token;
    };
    return (await this.#carry(call, slot, checked())) ?? (isStale ? 'stale' : undefined);
  }

  /** The sends to come go there: with a token, if that may be seen there. */
  reroute(call: AuthorizedCall, config: InternalAxiosRequestConfig): undefined {
    const slot = this.#slotOf(call);
    if (slot.credential === undefined) return;
    slot.goesAlong = this.#authenticator.maySee(config, call.config);
    if (!slot.goesAlong) slot.token = undefined;
  }

  stamp(call: AuthorizedCall, config: InternalAxiosRequestConfig): void {
    const slot = this.#slotOf(call);
    slot.takeOff = undefined;
    if (slot.token === undefined || !this.#authenticator.writes) return;
    if (call.tokens === undefined) call.tokens = [slot.token.value];
    else call.tokens.push(slot.token.value);
    slot.takeOff = this.#authenticator.write(config, slot.token);
  }

  /** `beforeSend` may have turned the send to where the token must not be seen: takes it off. */
  moveTo(call: AuthorizedCall, config: InternalAxiosRequestConfig): undefined {
    const slot = this.#slotOf(call);
    if (slot.credential === undefined || this.#authenticator.maySee(config, call.config)) return;
    slot.takeOff?.(config.headers);
    slot.token = undefined;
  }

  /**
   * Whether a refresh may help: a token of ours was refused, and not for what it may do or for what the policy names.
   *
   * @param explicit whether the policy says that this answer calls for one, whatever the challenges say
   */
  isRefreshable(call: AuthorizedCall, { challenges, api }: Unauthorized, explicit: boolean): boolean {
    const { token } = this.#slotOf(call);
    if (token === undefined || !this.#wasCarried(call, token)) return false;
    if (!explicit && !mayRefresh(challenges)) return false;
    const { neverRefreshOn } = this.#authenticator.options;
    if (challenges.some(({ params: { error } }) => error !== undefined && neverRefreshOn.includes(error))) return false;
    for (let at: ApiError | undefined = api; at !== undefined; at = at.inner) {
      if (neverRefreshOn.includes(at.code)) return false;
    }
    return true;
  }

  /** The answer to a replay was another 401: the token that the refresh gave does not help. */
  refusedAgain(call: AuthorizedCall): void {
    const { credential, token } = this.#slotOf(call);
    if (token !== undefined) credential?.refused(token.value);
  }

  /** Whether the token of the last send was known to be refused though a refresh has just given it. */
  isRefusedAnew(call: AuthorizedCall): boolean {
    const { credential, token } = this.#slotOf(call);
    return token !== undefined && credential?.isRefusedAnew(token.value) === true;
  }

  /** Why the last send carried no token, though the policy has one; `undefined` where it may have. */
  bareBecause(call: AuthorizedCall): string | undefined {
    const { credential, token } = this.#slotOf(call);
    if (token !== undefined) return undefined;
    const [sent, otherwise] =
      credential === undefined
        ? [call.config, 'the call is part of the refresh']
        : [call.wire ?? call.config, 'auth.token gave none'];
    return this.#authenticator.withheldFrom(sent, call.config) ?? otherwise;
  }

  /** After a 401: gets the token for the replay, refreshing if need be. After a logout there is none, and no replay. */
  async replace(call: AuthorizedCall, unauthorized: Unauthorized): Promise<Refusal | undefined> {
    const slot = this.#slotOf(call);
    const { credential, token } = slot;
    if (credential === undefined || token === undefined) return undefined;
    const replaced = credential.replace(token.value, unauthorized, this.#authenticator.beginner);
    const refusal = await this.#carry(call, slot, replaced);
    if (refusal !== undefined) return refusal;
    slot.isForReplay = true;
    const { outcome } = call;
    return slot.token === undefined && outcome !== undefined ? { outcome, why: 'not-retryable' } : undefined;
  }

  /** Whether calls under this policy carry a token that takes time to get. */
  has(call: AuthorizedCall): boolean {
    return this.#slotOf(call).credential !== undefined;
  }

  #slotOf(call: AuthorizedCall): Slot {
    call.auth ??= {
      credential: this.#authenticator.credentialOf(call.config),
      token: undefined,
      isForReplay: false,
      goesAlong: true,
      takeOff: undefined,
    };
    return call.auth;
  }

  /** Not where `beforeSend` wrote something else, nor where axios' own `auth` went out in its place. */
  #wasCarried({ wire, wireHeaders }: AuthorizedCall, { value }: Token): boolean {
    if (!this.#authenticator.isStandard || !this.#authenticator.writes) return true;
    return !wire?.auth && headerOf(wireHeaders, 'authorization') === `Bearer ${value}`;
  }

  async #waitFor(call: AuthorizedCall, token: Promise<Refusal | undefined>): Promise<Refusal | undefined> {
    call.waits(TOKEN_WAIT);
    const refused = await token;
    call.refreshMs += call.waited();
    return refused;
  }

  /** Waits for the token that the next send is to carry, no longer than the call may last. A refresh goes on for the others. */
  async #carry(call: AuthorizedCall, slot: Slot, pending: Promise<Token | undefined>): Promise<Refusal | undefined> {
    const { clock, queue } = this.#ports;
    let refuse = () => {};
    const closed = new Promise<never>((_, reject) => {
      refuse = () =>
        reject(new TokenRefreshError('the attachment was closed while the call waited for a token', undefined));
    });
    queue.add(refuse);
    try {
      const result = await withTimeout(Promise.race([pending, closed]), call.timeout(clock));
      if (result.kind === 'cancelled') return call.cancelled();
      if (result.kind === 'timeout') return call.deadlineRefusal();
      slot.token = result.value;
      return undefined;
    } catch (error) {
      return refused(call, slot, error);
    } finally {
      queue.delete(refuse);
    }
  }
}

/** @throws what is no failed refresh */
function refused(call: AuthorizedCall, { credential }: Slot, error: unknown): Refusal {
  if (!(error instanceof TokenRefreshError)) throw error;
  // No send may have carried them: an expired token is refreshed before the first.
  call.tokens = [...(call.tokens ?? []), ...(credential?.secrets ?? [])];
  // An error of this call's own: it carries this call's answer.
  const answer = call.outcome && responseOf(call.outcome);
  return { outcome: { error: new TokenRefreshError(error.message, error.cause, answer) }, why: 'refresh-failed' };
}
