import type { LiveCall } from '../call/live-call.ts';
import { type Outcome, responseOf } from '../call/outcome.ts';
import type { Clock } from '../time/clock.ts';
import { type Timed, withTimeout } from '../time/with-timeout.ts';
import type { EndedSend } from './options.ts';

/**
 * Runs the policy's hooks one after the other, and waits for them no longer than the call may last.
 *
 * @throws what one of them throws; the call's last error is its `cause`, unless it has one
 */
export async function runHooks<T>(
  hooks: readonly ((argument: T) => unknown)[],
  argument: T,
  call: LiveCall,
  clock: Clock,
): Promise<Timed<void>['kind']> {
  const run = async () => {
    for (const hook of hooks) await hook(argument);
  };
  try {
    return (await withTimeout(run(), call.timeout(clock))).kind;
  } catch (thrown) {
    throw causedBy(thrown, call.outcome);
  }
}

/** What hooks are shown of the last send. */
export function endedSend(call: LiveCall, outcome: Outcome): EndedSend {
  const { error } = outcome;
  return {
    send: call.sent,
    call: call.snapshot(),
    verdict: call.verdict,
    outcome,
    response: responseOf(outcome),
    error,
  };
}

function causedBy(thrown: unknown, last: Outcome | undefined): unknown {
  const error = last?.error;
  if (!(thrown instanceof Error) || error === undefined || thrown === error || thrown.cause !== undefined)
    return thrown;
  // As the constructor of an error has it. Reflect: what is frozen keeps what it has.
  Reflect.defineProperty(thrown, 'cause', { value: error, configurable: true, writable: true });
  return thrown;
}
