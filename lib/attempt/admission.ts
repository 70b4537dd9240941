import { codeOf } from '../failure/code.ts';
import { LimitError } from '../failure/errors.ts';
import type { Limiter, Permit } from '../limit/limiter.ts';
import type { ResolvedLimit } from '../limit/options.ts';
import { readQuota } from '../limit/quota-headers.ts';
import { originOf } from '../model/address.ts';
import { type Outcome, responseOf } from '../model/outcome.ts';
import type { Verdict } from '../model/verdict.ts';
import { DEFAULTS } from '../policy/defaults.ts';
import { isWithin } from '../wait/within.ts';
import { bounded } from './bounded.ts';
import type { CallContext, Refusal } from './context.ts';

/** One call's dealings with the limiter: a permit for each send, handed back as soon as that has ended. */
export class Admission {
  /** How long the last permit took, in ms. */
  queuedMs = 0;
  private readonly context: CallContext;
  private readonly limiter: Limiter;
  /** The bucket. */
  readonly key: string;
  private readonly priority: number | undefined;
  private permit: Permit | undefined;

  constructor(context: CallContext, limit: Limiter | ResolvedLimit) {
    const { config } = context.call;
    this.context = context;
    this.limiter = context.shared.limiter(limit);
    // The call's own policy may name them, and so may a limiter that was handed in.
    this.key = limit.key?.(config) ?? originOf(config);
    this.priority = limit.priority?.(config);
  }

  acquire(): Refusal | undefined | Promise<Refusal | undefined> {
    const { call, cancellation } = this.context;
    const aborter = cancellation && new AbortController();
    this.queuedMs = 0;
    if (isWithin(this.limiter)) return undefined;
    try {
      const { key, priority } = this;
      const { deadlineAt } = call;
      const acquired = this.limiter.acquire({ key, priority, signal: aborter?.signal, deadlineAt });
      if ('then' in acquired) return this.queue(acquired, aborter);
      this.permit = acquired;
      return undefined;
    } catch (error) {
      return this.refused(error);
    }
  }

  /**
   * Tells the limiter what an answer said, and hands the permit back.
   *
   * @returns until when the answer pauses the bucket, ms since the epoch, if it does
   */
  answered(outcome: Outcome, { kind, retryAfterMs }: Verdict, nowMs: number): number | undefined {
    const { permit } = this;
    if (permit === undefined) return undefined;
    this.permit = undefined;
    const response = responseOf(outcome);
    // A 503 that names a time speaks for the whole server, as a 429 does.
    const throttled = kind === 'throttled';
    const named = throttled || response?.status === 503 ? retryAfterMs : undefined;
    // One rogue header must not shut everybody out for a day.
    const { retry } = this.context.policy;
    const { maxMs } = (retry || DEFAULTS.retry).retryAfter;
    const untilAt = named === undefined ? undefined : nowMs + Math.min(named, maxMs);
    const quota = response && readQuota(response.headers, nowMs);
    // Without an answer nothing was learnt of the server.
    if (response !== undefined) quietly(() => permit.answered?.({ throttled, untilAt, quota }));
    quietly(() => permit.release());
    return untilAt;
  }

  /** Hands back a permit that was not used. */
  release(): void {
    const { permit } = this;
    this.permit = undefined;
    if (permit !== undefined) quietly(() => permit.release());
  }

  /** Waits for a permit, no longer than the call may last: a limiter may be deaf to the signal or the deadline. */
  private async queue(acquired: Promise<Permit>, aborter?: AbortController): Promise<Refusal | undefined> {
    const { context, key } = this;
    const { call, cancellation, policy, shared } = context;
    const asked = shared.clock.now();
    let refuse = () => {};
    const closed = new Promise<never>((_, reject) => {
      refuse = () => reject(new LimitError('ERR_LIMIT_CLOSED', 'the attachment was closed'));
    });
    shared.queue.add(refuse);
    shared.tally.queued += 1;
    context.tell('queued', { key });
    try {
      const result = await bounded(Promise.race([acquired, closed]), shared.clock, call.deadlineAt, cancellation);
      if (result.kind === 'done') this.permit = result.value;
      if (result.kind === 'cancelled') return context.cancelled();
      if (result.kind !== 'deadline') return undefined;
      throw new LimitError('ERR_LIMIT_DEADLINE', `no permit within the call's deadline of ${policy.deadlineMs} ms`);
    } catch (error) {
      return this.refused(error);
    } finally {
      shared.queue.delete(refuse);
      shared.tally.queued -= 1;
      this.queuedMs = Math.max(0, shared.clock.now() - asked);
      if (this.permit === undefined) {
        // The place in the queue is given up; a permit that comes all the same goes straight back.
        acquired.then((permit) => permit.release()).catch(() => {});
        aborter?.abort();
      }
    }
  }

  private refused(error: unknown): Refusal {
    const { context, key } = this;
    if (context.cancellation?.requested) return context.cancelled();
    const code = codeOf(error);
    context.tell('limited', { key, code });
    return { outcome: context.call.outcome ?? { error }, why: code === 'ERR_LIMIT_DEADLINE' ? 'deadline' : 'limited' };
  }
}

/** A limiter that fails after the send must not take the place of the server's answer. */
function quietly(body: () => void): void {
  try {
    body();
  } catch {
    // Its stock-taking is its own affair.
  }
}
