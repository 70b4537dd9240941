import type { InternalAxiosRequestConfig } from 'axios';
import type { AuthorizedCall } from '../auth/station.ts';
import type { BrokenCall } from '../breaker/station.ts';
import { LiveCall, type Terms } from '../call/live-call.ts';
import type { Outcome } from '../call/outcome.ts';
import type { EndReason } from '../call/report.ts';
import type { Judged } from '../classify/judging.ts';
import type { KeyedCall } from '../idempotency/station.ts';
import type { LimitedCall } from '../limit/station.ts';
import type { BudgetedCall } from '../retry/budget-station.ts';
import type { Borrowed } from '../send/borrow.ts';
import { cancellationOf } from '../send/cancellation.ts';
import type { Aborter } from '../send/send-signal.ts';
import type { StreamedBody } from '../send/streamed-body.ts';

type Slots = AuthorizedCall & BrokenCall & BudgetedCall & Judged & KeyedCall & LimitedCall;

/**
 * A call on its way through the loop: all that is made for it. Its fields always come in the same order, and what only a failure needs
 * is made when one comes.
 */
export class CallUnderWay extends LiveCall implements Slots {
  /** Each policy's own: nobody else looks in there. */
  auth: Slots['auth'] = undefined;
  breaker: Slots['breaker'] = undefined;
  budget: Slots['budget'] = undefined;
  limit: Slots['limit'] = undefined;
  idempotencyKey: Slots['idempotencyKey'] = undefined;
  shown: Slots['shown'] = undefined;
  /** What the sends to come are made of: the caller's config, until a Location or `onRetry` says otherwise. */
  template: InternalAxiosRequestConfig;
  /** What the first send has borrowed of the caller's config. */
  borrowed: Borrowed | undefined = undefined;
  /** What the next send is, if it is not the first. */
  next: 'retries' | 'replays' | 'polls' = 'retries';
  /** Whether the last one was a poll. */
  isPoll = false;
  /** What the sends ask for, origin and path, where an answer has named that. */
  asked: string | undefined = undefined;
  /** Why a send was given up before it left. */
  refusedBecause: EndReason | undefined = undefined;
  /** What cuts the last send, where that is bounded; its body may go on after the answer. */
  aborter: Aborter | undefined = undefined;
  /** What became of a send that the deadline cut off. */
  cutOff: Outcome | undefined = undefined;
  /** What came of the last send, judged or not. */
  last: Outcome | undefined = undefined;
  /** When that came, on the clock. */
  answeredAt = 0;
  /** When it was judged. */
  judgedAt = 0;
  /** The body of the last answer, where axios resolves it as a stream. */
  streamed: StreamedBody | undefined = undefined;
  /** Whether the last send is to be repeated on a fresh connection. */
  wantsFresh = false;
  /** Whether one has been: a fresh one that is lost as well is no matter of the pool. */
  hasFreshened = false;

  constructor(config: InternalAxiosRequestConfig, terms: Terms) {
    super(config, terms, cancellationOf(config));
    this.template = config;
  }

  override letGo(): void {
    super.letGo();
    this.template = this.config;
    this.last = undefined;
    this.aborter = undefined;
    this.waiting = undefined;
  }

  /** Its next send leaves. */
  leaves(config: InternalAxiosRequestConfig, nowMs: number): void {
    this.wire = config;
    this.wireHeaders = config.headers;
    this.sentAt = nowMs;
    this.sent += 1;
    if (this.sent === 1) return;
    this[this.next] += 1;
    this.isPoll = this.next === 'polls';
  }
}
