import type { LiveCall } from '../call/live-call.ts';
import { type Outcome, responseOf } from '../call/outcome.ts';
import { TransformedBody } from '../send/transformed-body.ts';
import type { Clock } from '../time/clock.ts';
import { shownErrorOf } from './error-body.ts';
import { evidenceOf } from './evidence.ts';
import type { Evidence } from './options.ts';

/** What the judges of a policy were shown of a call's last outcome, if there are any. */
interface Slot {
  readonly outcome: Outcome;
  readonly evidence: Evidence;
  /** What they made of its body, if they asked. */
  readonly body: TransformedBody | undefined;
}

export interface Judged extends LiveCall {
  shown: Slot | undefined;
}

/** What judges are shown of an outcome; made once. */
export function evidenceOn(call: Judged, outcome: Outcome, clock: Clock): Evidence {
  if (call.shown?.outcome === outcome) return call.shown.evidence;
  const response = responseOf(outcome);
  const body = response && new TransformedBody(call.config, response);
  const { errorText } = call;
  const sources = {
    call: call.snapshot(),
    api: () => shownErrorOf(outcome, errorText),
    // Once the next send is made, or the call is over, nobody is there to be shown anything.
    data: () => (call.shown?.body === body ? body?.make() : undefined),
  };
  const evidence = evidenceOf(outcome, sources, clock);
  call.shown = { outcome, evidence, body };
  return evidence;
}

/** Has axios take what a judge had made of the body of the answer that ends the call, and lets go of what was shown. */
export function handOverShown(call: Judged, ending: Outcome): void {
  call.shown?.body?.handOver(responseOf(ending));
  call.shown = undefined;
}
