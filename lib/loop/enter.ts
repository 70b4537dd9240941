import type { AuthStation } from '../auth/station.ts';
import type { Refusal } from '../call/refusal.ts';
import { TOKEN_WAIT } from '../call/wait.ts';
import type { LimitStation } from '../limit/station.ts';
import { withTimeout } from '../time/with-timeout.ts';
import type { CallUnderWay } from './call-under-way.ts';
import type { Plan } from './plan.ts';

/** How long a permit is held while `token` is asked, in ms. */
const TOKEN_MS = 1_000;

type Entered = Refusal | undefined | Promise<Refusal | undefined>;

/**
 * Gets the next send what it needs: a token first, since a refresh may take long and a permit must not be held meanwhile; then the
 * permit. Where neither has to be waited for, all of it is one turn.
 */
export function enter(call: CallUnderWay, plan: Plan): Entered {
  const { auth, limit } = plan;
  if (auth === undefined) return limit?.enter(call);
  const token = auth.enter(call);
  if (limit === undefined || (token !== undefined && !(token instanceof Promise))) return token;
  if (token instanceof Promise) return inTurn(call, plan, auth, limit, token);
  const permit = limit.enter(call);
  return permit instanceof Promise ? inTurn(call, plan, auth, limit, undefined, permit) : permit;
}

async function inTurn(
  call: CallUnderWay,
  plan: Plan,
  auth: AuthStation,
  limit: LimitStation,
  token: Promise<Refusal | undefined> | undefined,
  permit?: Promise<Refusal | undefined>,
): Promise<Refusal | undefined> {
  const refused = (await token) ?? (await (permit ?? limit.enter(call)));
  if (refused !== undefined || limit.queuedMs(call) === 0 || !auth.has(call)) return refused;
  for (let tried = 0; ; tried++) {
    // The queue took time, in which the token may have expired or the user logged out.
    call.waits(TOKEN_WAIT);
    const checked = limit.holding(call, () => auth.checkAgain(call));
    const again = await withTimeout(checked, { ms: TOKEN_MS, clock: plan.clock });
    call.refreshMs += call.waited();
    // Where `token` takes so long, it may wait for the very permit that is held.
    if (again.kind === 'done' && again.value !== 'stale') return again.value;
    limit.leave(call);
    const lost = (await auth.enter(call)) ?? (await limit.enter(call));
    // A token that lives no longer than the queue is long would stand in it for ever: the third goes as it is when its permit comes.
    if (lost !== undefined || tried > 0 || limit.queuedMs(call) === 0) return lost;
  }
}
