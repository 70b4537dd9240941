import type { Call } from '../call/call.ts';
import type { LiveCall } from '../call/live-call.ts';
import { type Outcome, responseOf } from '../call/outcome.ts';
import type { ApiError } from '../failure/api-error.ts';
import { TransformedBody } from '../send/transformed-body.ts';
import type { Clock } from '../time/clock.ts';
import { shownErrorOf } from './error-body.ts';
import { evidenceOf, type Sources } from './evidence.ts';
import type { Evidence } from './options.ts';

/** What the judges of a policy are shown of a call's last outcome. What nobody looks at is not made. */
class Shown implements Sources {
  readonly outcome: Outcome;
  readonly evidence: Evidence;
  readonly #call: Judged;
  readonly #errorText: string | undefined;
  #body: TransformedBody | undefined;

  constructor(call: Judged, outcome: Outcome, clock: Clock) {
    this.#call = call;
    this.#errorText = call.errorText;
    this.outcome = outcome;
    this.evidence = evidenceOf(outcome, this, clock);
  }

  get call(): Call {
    return this.#call.snapshot();
  }

  api(): ApiError | undefined {
    return shownErrorOf(this.outcome, this.#errorText, this.#call.terms.readError);
  }

  data(): unknown {
    const response = responseOf(this.outcome);
    // Once the next send is made, or the call is over, nobody is there to be shown anything.
    if (response === undefined || this.#call.shown !== this) return undefined;
    this.#body ??= new TransformedBody(this.#call.config, response);
    return this.#body.make();
  }

  handOver(ending: Outcome): void {
    this.#body?.handOver(responseOf(ending));
  }
}

export interface Judged extends LiveCall {
  shown: Shown | undefined;
}

/** What judges are shown of an outcome; made once. */
export function evidenceOn(call: Judged, outcome: Outcome, clock: Clock): Evidence {
  if (call.shown?.outcome !== outcome) call.shown = new Shown(call, outcome, clock);
  return call.shown.evidence;
}

/** The call goes on: whoever keeps what a judge was shown finds the call there as it was then. */
export function keepShown(call: Judged): void {
  void call.shown?.evidence.call;
}

/** Has axios take what a judge had made of the body of the answer that ends the call, and lets go of what was shown. */
export function handOverShown(call: Judged, ending: Outcome): void {
  call.shown?.handOver(ending);
  call.shown = undefined;
}
