import type { AxiosResponse } from 'axios';
import { refresh, wait } from './again.ts';
import { arrive } from './arrive.ts';
import type { CallUnderWay } from './call-under-way.ts';
import { send } from './depart.ts';
import { enter } from './enter.ts';
import { leave } from './leave.ts';
import type { Plan } from './plan.ts';

/**
 * The loop. One turn is one send, which goes by the stations of its plan: the breaker first, so that nobody waits for nothing; then the
 * token, then the permit; the request is put together and leaves; what comes back is judged, and told to all of them.
 */
export async function loop(call: CallUnderWay, plan: Plan): Promise<AxiosResponse> {
  try {
    for (let nowMs = call.startedAt; ; nowMs = plan.clock.now()) {
      const refused = call.sent > 0 ? call.ended(nowMs) : undefined;
      const entered = refused ?? plan.breaker?.enter(call, nowMs) ?? enter(call, plan);
      const refusal = entered instanceof Promise ? await entered : entered;
      if (refusal) return leave(call, plan, refusal.outcome, refusal.why);
      if (entered instanceof Promise) nowMs = plan.clock.now();

      const outcome = await send(call, plan, nowMs);
      const arrived = arrive(call, plan, outcome);
      const decision = arrived instanceof Promise ? await arrived : arrived;

      switch (decision.kind) {
        case 'finish':
          return leave(call, plan, outcome, 'success');
        case 'stop':
          return leave(call, plan, outcome, decision.why);
        case 'refresh': {
          const failed = await refresh(call, plan);
          if (failed) return leave(call, plan, failed.outcome, failed.why);
          break;
        }
        case 'poll':
        case 'retry': {
          const cutShort = await wait(call, plan, decision);
          if (cutShort) return leave(call, plan, cutShort.outcome, cutShort.why);
        }
      }
    }
  } catch (thrown) {
    // Only the caller's own code throws: a judge, a hook, a body factory, a key. They get what it threw.
    return leave(call, plan, { error: thrown }, 'not-retryable');
  }
}
