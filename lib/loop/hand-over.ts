import type { StreamedBody } from '../send/streamed-body.ts';
import { sharedTimerOf } from '../time/shared-timer.ts';
import type { CallUnderWay } from './call-under-way.ts';
import type { Plan } from './plan.ts';

/**
 * Hands the caller a body that is still on its way. The call is over for its report, but the send is under way until the body
 * has ended, failed or been destroyed: it counts as in flight, keeps its permit, and is cut at the deadline.
 *
 * @param request that of the adapter
 */
export function handOver(call: CallUnderWay, plan: Plan, body: StreamedBody, request: unknown): void {
  const { clock, counters, limit, underWay } = plan;
  const { aborter } = call;
  counters.inFlight += 1;
  call.streams({
    phase: 'body',
    until: () => call.deadlineAt,
    why: () => `its stream is read by its caller: ${body.read} of the ${body.came} bytes that came`,
  });
  const letGo = limit?.holdFor(call, body);
  const stopTimer = sharedTimerOf(clock).after(call.deadlineAt - clock.now(), () => {
    const during = ` while the body was read, ${body.came} bytes`;
    body.abort(call.deadlineError(call.config, during, request));
    aborter?.abort();
  });
  // axios' http adapter has destroyed its stream by then. One of an adapter function, or a web stream that nobody reads, would not notice.
  const giveUp = () => body.abort(call.cancelled().outcome.error);
  const unsubscribe = call.cancellation?.subscribe(giveUp);
  body.onEnd = () => {
    counters.inFlight -= 1;
    underWay.ended(call);
    letGo?.();
    stopTimer();
    unsubscribe?.();
    aborter?.end();
  };
}
