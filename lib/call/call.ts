import type { InternalAxiosRequestConfig } from 'axios';
import { acrossCopies } from './across-copies.ts';
import { addressOf } from './address.ts';
import type { Outcome } from './outcome.ts';
import type { RefusedRetry, RefusedWait } from './refused-retry.ts';
import type { EndReason, Report, SendRecord } from './report.ts';
import type { Spent } from './spent.ts';
import { wholeMs } from './time-shown.ts';
import type { Verdict } from './verdict.ts';

/** One logical request as the caller sees it, however many times it is sent. A frozen snapshot: plain, loggable data. */
export interface Call {
  /** Unique within this process. */
  readonly id: string;
  /** Upper case, for instance `POST`. */
  readonly method: string;
  /** Origin and path. Never the query, the fragment or a password. */
  readonly url: string;
  /** Instant, ms since the epoch. */
  readonly startedAt: number;
  /** Instant by which the call must have ended; `Infinity` without `deadlineMs`. */
  readonly deadlineAt: number;
  /** HTTP requests made so far: 1 + retries + replays + polls once the call has begun sending. */
  readonly sends: number;
  /** Instant at which the last of them left; `undefined` before the first. */
  readonly sentAt: number | undefined;
  readonly retries: number;
  /** Sends that followed a token refresh. */
  readonly replays: number;
  /** Sends that asked again for an answer that was pending. */
  readonly polls: number;
}

const NO_SENDS: readonly SendRecord[] = Object.freeze([]);

const calls = acrossCopies('calls', () => ({ made: 0 }));

/**
 * What the loop knows of one call while it is under way, and the whole story afterwards.
 *
 * It lives in the closure of the call and nowhere else: axios clones configs, interceptors spread them, and instances
 * are shared, so state on any of those is lost or leaks.
 */
export class CallState {
  config: InternalAxiosRequestConfig;
  readonly startedAt: number;
  readonly deadlineAt: number;
  sends: readonly SendRecord[] = NO_SENDS;
  /** Requests begun; one ahead of `sends.length` while a request is on the wire. */
  sent = 0;
  retries = 0;
  replays = 0;
  polls = 0;
  /** When it was first decided to poll, on the clock. */
  pollingSince: number | undefined;
  /** Of its retries and its replays, those before the last pending answer: what counts them begins anew there. */
  retriesBefore = 0;
  replaysBefore = 0;
  /** How long it had polled when it was given up as still pending, in ms. */
  polledMs = 0;
  /** How long it has waited between an answer and a retry or a poll, in ms. */
  waitedMs = 0;
  /** How long for permits, in ms. */
  queuedMs = 0;
  /** How long for tokens, in ms. */
  refreshMs = 0;
  /** When the last request left, on the clock. */
  sentAt = 0;
  /** The last backoff, which decorrelated jitter builds on. */
  backoffMs = 0;
  /** The id that all sends carry, where the policy makes one. */
  correlationId: string | undefined;
  /** What the last send gave and what it meant. */
  outcome: Outcome | undefined;
  verdict: Verdict | undefined;
  /** What the last send carried, which may hold secrets that the caller's config does not: `beforeSend` writes them. */
  wire: InternalAxiosRequestConfig | undefined;
  wireHeaders: InternalAxiosRequestConfig['headers'] | undefined;
  /** Every token that a send carried: a later answer may quote an earlier one. */
  tokens: string[] | undefined;
  /** Why the last send carried no token, where it was refused for want of one and the policy has one. */
  bareBecause: string | undefined;
  /** How long it has waited because an answer named so long a wait, in ms. */
  namedMs = 0;
  /** The named wait that would have been too long. */
  refusedWait: RefusedWait | undefined;
  /** The retry that the budget refused. */
  refusedRetry: RefusedRetry | undefined;
  endedBecause: 'success' | EndReason | undefined;
  endedAt = 0;
  /** The JSON text of an error body that arrived as a stream or a Blob, read by the loop. */
  errorText: string | undefined;
  /** What the call failed with, where `onGiveUp` threw something else in its place. */
  failedWith: Outcome | undefined;
  readonly #number = ++calls.made;
  readonly #wallAheadMs: () => number;
  #url: string | undefined;
  #snapshot: Call | undefined;

  /**
   * @param startedAt on the clock, as are all instants that it keeps
   * @param wallAheadMs how far the time of day is ahead of the clock, in ms: what is shown is shown by that
   */
  constructor(
    config: InternalAxiosRequestConfig,
    startedAt: number,
    deadlineMs: number,
    wallAheadMs: () => number = () => 0,
  ) {
    this.config = config;
    this.startedAt = startedAt;
    this.deadlineAt = startedAt + deadlineMs;
    this.#wallAheadMs = wallAheadMs;
  }

  /** Adds the record of a send. Most calls have one, and a list that grows is made for seventeen. */
  addSend(record: SendRecord): void {
    if (this.sends === NO_SENDS) this.sends = [record];
    else (this.sends as SendRecord[]).push(record);
  }

  /**
   * It has ended well: from now on it keeps what its report says, and nothing of the request. An application may keep a response for long,
   * and the body that was sent must not stay for that.
   */
  letGo(): void {
    const { allowAbsoluteUrls, baseURL, method, url } = this.config;
    this.config = { method, url, baseURL, allowAbsoluteUrls } as InternalAxiosRequestConfig;
    this.wire = undefined;
    this.wireHeaders = undefined;
    this.outcome = undefined;
  }

  get id(): string {
    return `call-${this.#number}`;
  }

  get method(): string {
    const { method = 'get' } = this.config;
    return method === 'get' ? 'GET' : method.toUpperCase();
  }

  get url(): string {
    this.#url ??= addressOf(this.config);
    return this.#url;
  }

  /** The public view. */
  snapshot(): Call {
    const { id, method, url, sent, retries, replays, polls } = this;
    const aheadMs = this.#wallAheadMs();
    const startedAt = wholeMs(this.startedAt + aheadMs);
    const deadlineAt = wholeMs(this.deadlineAt + aheadMs);
    const last = this.#snapshot;
    // Nothing else in it changes, and judges, hooks and listeners all ask for one.
    const isSame = last?.sends === sent && last.retries === retries && last.replays === replays && last.polls === polls;
    if (isSame && last.startedAt === startedAt) return last;
    const sentAt = sent === 0 ? undefined : wholeMs(this.sentAt + aheadMs);
    const counts = { sends: sent, sentAt, retries, replays, polls };
    this.#snapshot = Object.freeze({ id, method, url, startedAt, deadlineAt, ...counts });
    return this.#snapshot;
  }

  /** What its time went to so far, in whole ms. */
  get spent(): Spent {
    const sendingMs = this.sends.reduce((sum, { durationMs }) => sum + durationMs, 0);
    return {
      queuedMs: wholeMs(this.queuedMs),
      refreshMs: wholeMs(this.refreshMs),
      waitedMs: wholeMs(this.waitedMs),
      sendingMs: wholeMs(sendingMs),
    };
  }

  report(): Report {
    const { id, method, url, startedAt, sends, polls, endedAt, endedBecause = 'success' } = this;
    const { queuedMs, refreshMs, waitedMs, sendingMs } = this.spent;
    const aheadMs = this.#wallAheadMs();
    return Object.freeze({
      id,
      method,
      url,
      startedAt: wholeMs(startedAt + aheadMs),
      elapsedMs: wholeMs(endedAt - startedAt),
      queuedMs,
      refreshMs,
      waitedMs,
      sendingMs,
      sends: Object.freeze(sends.map((send) => shown(send, aheadMs))),
      polls,
      endedBecause,
    });
  }
}

/** Field by field: to spread the rest of a record costs five times as much. */
const shown = (
  { startedAt, durationMs, queuedMs, refreshMs, status, code, verdict, decision, delayMs, polled }: SendRecord,
  aheadMs: number,
): SendRecord =>
  Object.freeze({
    startedAt: wholeMs(startedAt + aheadMs),
    durationMs: wholeMs(durationMs),
    queuedMs: wholeMs(queuedMs),
    refreshMs: refreshMs === undefined ? undefined : wholeMs(refreshMs),
    status,
    code,
    verdict,
    decision,
    delayMs: delayMs === undefined ? undefined : wholeMs(delayMs),
    polled,
  });
