import type { CallContext } from '../context.ts';
import type { Admission } from '../limit/station.ts';
import { sharedTimerOf } from '../time/shared-timer.ts';
import { isWebStream } from './response-body.ts';
import type { Aborter } from './send-signal.ts';
import type { StreamedBody } from './streamed-body.ts';

/**
 * Hands the caller a body that is still on its way. The call is over for its report, but the send is under way until the body
 * has ended, failed or been destroyed: it counts as in flight, keeps its permit, and is cut at the deadline.
 *
 * @param request that of the adapter
 * @param aborter what cuts the send, where it is bounded; it is ended here
 */
export function handOver(
  context: CallContext,
  body: StreamedBody,
  request: unknown,
  admission: Admission | undefined,
  aborter: Aborter | undefined,
): void {
  const { call, cancellation, shared } = context;
  const { clock, tally, underWay } = shared;
  tally.inFlight += 1;
  context.streams({
    phase: 'body',
    until: () => call.deadlineAt,
    why: () => `its stream is read by its caller: ${body.read} of the ${body.came} bytes that came`,
  });
  const letGo = admission?.holdFor(body);
  const stopTimer = sharedTimerOf(clock).after(call.deadlineAt - clock.now(), () => {
    const during = ` while the body was read, ${body.came} bytes`;
    body.abort(context.deadlineError(call.config, during, request));
    aborter?.abort();
  });
  // axios destroys a Node stream when the caller gives up; a web stream that nobody reads would not notice.
  const giveUp = () => body.abort(context.cancelled().outcome.error);
  const unsubscribe = isWebStream(body.data) ? cancellation?.subscribe(giveUp) : undefined;
  body.onEnd = () => {
    tally.inFlight -= 1;
    underWay.ended(context);
    letGo?.();
    stopTimer();
    unsubscribe?.();
    aborter?.end();
  };
}
