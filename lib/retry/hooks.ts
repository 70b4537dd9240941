import type { Outcome } from '../call/outcome.ts';
import type { CallContext } from '../context.ts';
import { type Bounded, bounded } from '../time/bounded.ts';

/**
 * Runs the policy's hooks one after the other, and waits for them no longer than the call may last.
 *
 * @throws what one of them throws; the call's last error is its `cause`, unless it has one
 */
export async function runHooks<T>(
  hooks: readonly ((argument: T) => unknown)[],
  argument: T,
  { call, cancellation, shared }: CallContext,
): Promise<Bounded<void>['kind']> {
  const run = async () => {
    for (const hook of hooks) await hook(argument);
  };
  try {
    return (await bounded(run(), shared.clock, call.deadlineAt, cancellation)).kind;
  } catch (thrown) {
    throw causedBy(thrown, call.outcome);
  }
}

function causedBy(thrown: unknown, last: Outcome | undefined): unknown {
  const error = last?.error;
  if (!(thrown instanceof Error) || error === undefined || thrown === error || thrown.cause !== undefined)
    return thrown;
  // As the constructor of an error has it. Reflect: what is frozen keeps what it has.
  Reflect.defineProperty(thrown, 'cause', { value: error, configurable: true, writable: true });
  return thrown;
}
