import type { Authorization } from './auth/station.ts';
import type { CallContext, Refusal } from './context.ts';
import type { Admission } from './limit/station.ts';
import type { Wait } from './observe/pending.ts';
import { Patience } from './time/patience.ts';

/** What a call waits for that waits for its token. */
export const TOKEN_WAIT: Wait = {
  phase: 'refresh',
  why: () => 'waits for a token: `auth.token` or `auth.refresh` has not settled',
};

/** How long a permit is held while `token` is asked, in ms. */
const TOKEN_MS = 1_000;

/** What a send has to get before it may leave: its token and its permit. */
export class Entrance {
  private readonly context: CallContext;
  private readonly authorization: Authorization | undefined;
  private readonly admission: Admission | undefined;

  constructor(context: CallContext, authorization: Authorization | undefined, admission: Admission | undefined) {
    this.context = context;
    this.authorization = authorization;
    this.admission = admission;
  }

  /** Lets the next send in, once it may; gives the reason where it may not. */
  enter(): Refusal | undefined | Promise<Refusal | undefined> {
    const { admission, authorization } = this;
    return authorization?.goesAlong ? this.admitWithToken(authorization) : admission?.acquire();
  }

  /**
   * A token first, since a refresh may take long and a permit must not be held meanwhile; then the permit. Where neither has to be waited
   * for, all of it is one turn.
   */
  private admitWithToken(authorization: Authorization): Refusal | undefined | Promise<Refusal | undefined> {
    const { admission } = this;
    const token = this.checkOut(authorization);
    if (token instanceof Promise) return this.admitInTurn(authorization, token);
    if (token !== undefined || admission === undefined) return token;
    const permit = admission.acquire();
    return permit instanceof Promise ? this.admitInTurn(authorization, token, permit) : permit;
  }

  private async admitInTurn(
    authorization: Authorization,
    token: Refusal | undefined | Promise<Refusal | undefined>,
    permit?: Promise<Refusal | undefined>,
  ): Promise<Refusal | undefined> {
    const { admission } = this;
    const refused = (await token) ?? (await (permit ?? admission?.acquire()));
    if (refused !== undefined || !admission?.queuedMs) return refused;
    for (let tried = 0; ; tried++) {
      // The queue took time, in which the token may have expired or the user logged out.
      this.context.waits(TOKEN_WAIT);
      const again = await this.inTime(admission.within(async () => authorization.checkAgain()));
      this.context.call.refreshMs += this.context.waited();
      if (again !== 'stale') return again;
      // A token that lives no longer than the queue is long: it would stand in it for ever.
      if (tried > 0) return admission.within(() => this.checkOut(authorization));
      admission.release();
      const lost = (await this.checkOut(authorization)) ?? (await admission.acquire());
      if (lost !== undefined || !admission.queuedMs) return lost;
    }
  }

  private checkOut(authorization: Authorization): Refusal | undefined | Promise<Refusal | undefined> {
    const token = authorization.checkOut();
    return token instanceof Promise ? this.waitForToken(token) : token;
  }

  private async waitForToken(token: Promise<Refusal | undefined>): Promise<Refusal | undefined> {
    const { context } = this;
    context.waits(TOKEN_WAIT);
    const refused = await token;
    context.call.refreshMs += context.waited();
    return refused;
  }

  /** `'stale'` where `token` takes so long that it may wait for the very permit that is held. */
  private async inTime<T>(checked: Promise<T>): Promise<T | 'stale'> {
    const patience = new Patience(TOKEN_MS, this.context.shared.clock, undefined);
    checked.catch(() => {});
    try {
      return await Promise.race([checked, patience.over.then(() => 'stale' as const)]);
    } finally {
      // Also where `token` throws: a timer that is left would keep the process alive.
      patience.end();
    }
  }
}
