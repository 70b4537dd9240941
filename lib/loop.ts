import type { AxiosResponse } from 'axios';
import type { Again, Decision } from './call/decision.ts';
import type { Outcome } from './call/outcome.ts';
import type { EndReason } from './call/report.ts';
import type { Refusal } from './context.ts';

/** What the loop is made of, for one call. `steps.ts` has the real ones. */
export interface Steps {
  /** Asks for leave to send; gives the reason where that is refused. */
  admit(): Refusal | undefined | Promise<Refusal | undefined>;
  /** Makes one HTTP request and gives what came of it. */
  send(): Promise<Outcome>;
  /** Hands the leave back, and says what the outcome means and what to do about it. */
  judge(outcome: Outcome): Decision | Promise<Decision>;
  /** Waits before a retry or a poll; gives the reason where that was cut short. */
  wait(again: Again): Promise<Refusal | undefined>;
  /** Gets another token after a 401; gives the reason where there is none. */
  refresh(): Promise<Refusal | undefined>;
  /** Closes the books: the response, or a promise rejected with the error. */
  end(outcome: Outcome, why: 'success' | EndReason): AxiosResponse | Promise<AxiosResponse>;
}

/** The loop. One turn is one send. */
export async function pipeline(steps: Steps): Promise<AxiosResponse> {
  try {
    for (;;) {
      const admitted = steps.admit();
      const refused = admitted instanceof Promise ? await admitted : admitted;
      if (refused) return steps.end(refused.outcome, refused.why);

      const outcome = await steps.send();
      const judged = steps.judge(outcome);
      const decision = judged instanceof Promise ? await judged : judged;

      switch (decision.kind) {
        case 'finish':
          return steps.end(outcome, 'success');
        case 'stop':
          return steps.end(outcome, decision.why);
        case 'refresh': {
          const failed = await steps.refresh();
          if (failed) return steps.end(failed.outcome, failed.why);
          break;
        }
        case 'poll':
        case 'retry': {
          const cutShort = await steps.wait(decision);
          if (cutShort) return steps.end(cutShort.outcome, cutShort.why);
        }
      }
    }
  } catch (thrown) {
    // Only the caller's own code throws: a judge, a hook, a body factory, a key. They get what it threw.
    return steps.end({ error: thrown }, 'not-retryable');
  }
}
