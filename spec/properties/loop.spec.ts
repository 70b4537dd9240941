import { isAxiosError, isCancel } from 'axios';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VerdictKind } from '../../lib/call/verdict.ts';
import type { StatusRule } from '../../lib/classify/options.ts';
import { codeOf } from '../../lib/failure/code.ts';
import { CircuitOpenError, LimitError, TokenRefreshError } from '../../lib/failure/errors.ts';
import { HOPELESS, type Plan, plan, REFUSED, TIMED_OUT } from './loop-plan.ts';
import { OwnError, type Played, playLoop, type Seen, type Sent, storyOf } from './loop-run.ts';

/** The clock holds fractions of a ms in a double that counts from 1970. */
const ROUNDING = 0.05;
/** What is shown is whole ms. */
const SHOWN = 1;

/** What the n-th send of a call means, by the documented rules alone; written anew, so that it can disagree. */
interface Meaning {
  readonly kind: VerdictKind;
  readonly unapplied: boolean;
  /** The wait that was named, in ms from the answer. */
  readonly namedMs: number | undefined;
  readonly timedOut: boolean;
}

const TABLE: { readonly [status: number]: VerdictKind } = {
  401: 'unauthorized',
  408: 'transient',
  421: 'transient',
  425: 'transient',
  429: 'throttled',
  502: 'transient',
  503: 'transient',
  504: 'transient',
};

function meaningOf(send: Sent, n: number, { plan: call, result }: Seen, { statuses }: Plan): Meaning {
  const { play } = send;
  // What the deadline cut off never came to its own end.
  const cutOff = send.outcome === undefined;
  const status = !cutOff && play.kind === 'answer' ? play.status : undefined;
  const code = status === undefined ? (cutOff ? codeOf(errorIn(result)) : codeOf(errorIn(send.outcome))) : undefined;
  const headerMs = !cutOff && send.namedAt !== undefined ? send.namedAt - send.endedAt : undefined;
  // Of an answer that is pending only a Retry-After counts, and one of 0 names no time.
  const paceMs = send.explicit && headerMs !== 0 ? headerMs : undefined;
  const timedOut = code !== undefined && TIMED_OUT.includes(code);
  const refusedBy503 = status === 503 && send.explicit;
  const tooLargeForNow = status === 413 && send.explicit;

  const opinion = call.opinions.length > 0 ? call.opinions[n % call.opinions.length] : undefined;
  if (opinion === 'throws') return { kind: 'permanent', unapplied: false, namedMs: undefined, timedOut };
  if (opinion !== undefined) {
    const { kind, retryAfterMs, unapplied } = opinion;
    const byItself = kind === 'throttled' || kind === 'unauthorized';
    const wait = retryAfterMs ?? (kind === 'pending' ? paceMs : headerMs);
    return {
      kind,
      unapplied: unapplied ?? (byItself || (refusedBy503 && retryAfterMs === undefined && kind === 'transient')),
      namedMs: wait,
      timedOut,
    };
  }
  if (status === undefined) {
    const kind = ofCode(code);
    return { kind, unapplied: code !== undefined && REFUSED.includes(code), namedMs: undefined, timedOut };
  }
  const rule = statuses[status];
  const byItself = status < 300 ? 'success' : tooLargeForNow ? 'transient' : (TABLE[status] ?? 'permanent');
  const kind = rule === undefined ? byItself : rule === 'retry' && status === 429 ? 'throttled' : RULES[rule];
  const refused = refusedBy503 || tooLargeForNow || status === 421 || status === 425;
  const unapplied = kind === 'throttled' || kind === 'unauthorized' || (kind === 'transient' && refused);
  return { kind, unapplied, namedMs: kind === 'pending' ? paceMs : headerMs, timedOut };
}

const RULES: { readonly [R in StatusRule]: VerdictKind } = {
  retry: 'transient',
  fail: 'permanent',
  refresh: 'unauthorized',
  pending: 'pending',
};

function ofCode(code: string | undefined): VerdictKind {
  if (code === 'ERR_CANCELED') return 'cancelled';
  return code === undefined || HOPELESS.includes(code) ? 'permanent' : 'transient';
}

function errorIn(outcome: Seen['result'] | Sent['outcome']): unknown {
  return outcome !== undefined && 'error' in outcome ? outcome.error : undefined;
}

const isAnswered = (send: Sent): boolean => send.play.kind === 'answer' && send.outcome !== undefined;

/** Whether an answer came, and has a Location. */
const isLocated = (send: Sent | undefined): boolean =>
  send?.outcome !== undefined && send.play.kind === 'answer' && send.play.located;

/** Whether an answer that is pending can't be asked for again. */
const mayNotAsk = (last: Sent | undefined, meaning: Meaning | undefined, poll: Plan['poll']): boolean =>
  meaning?.kind === 'pending' && (poll === false || (isUnsafe(String(last?.method)) && !isLocated(last)));

const isOther = (kind: VerdictKind) => kind === 'unauthorized' || kind === 'pending';
const isUnsafe = (method: string) => method === 'post' || method === 'patch';
/** How many of the sends were decided on so, after the last one that was decided to be a poll, at most. */
function inARow(decisions: readonly string[], which: string): number {
  let most = 0;
  let row = 0;
  for (const decision of decisions) {
    if (decision === 'poll') row = 0;
    if (decision === which) row += 1;
    most = Math.max(most, row);
  }
  return most;
}

const isRetryable = (kind: VerdictKind) => kind === 'throttled' || kind === 'transient';

/** Every rule of one call. */
function check(seen: Seen, index: number, given: Plan, { permits, turns }: Played): void {
  const { sends, plan: call, result, begunAt, endedAt, abortedAt } = seen;
  const { retry, poll, deadlineMs = Number.POSITIVE_INFINITY, auth, limit, renew, beforeMs } = given;
  expect(result, 'it ends').toBeDefined();
  const { report, failure } = storyOf(seen);
  const meanings = sends.map((send, n) => meaningOf(send, n, seen, given));
  const last = sends.at(-1);
  const meaning = meanings.at(-1);
  const cutOff = last !== undefined && last.outcome === undefined;

  // Never in vain, and never too late.
  for (const send of sends) {
    expect(send.aborted, 'no send after an abort').toBe(false);
    expect(send.at, 'no send after the deadline').toBeLessThan(begunAt + deadlineMs);
    expect(send.held, 'one permit for each send').toBe(limit === false ? 0 : 1);
  }
  // A timer takes whole milliseconds, and must not be early.
  expect(endedAt, 'the deadline bounds the call').toBeLessThan(begunAt + deadlineMs + 1);
  if (abortedAt !== undefined) {
    expect(isCancel(errorIn(result)), 'an abort is what the caller gets').toBe(true);
    expect(endedAt, 'an abort ends the call at once').toBe(abortedAt);
  }
  expect(seen.listeners, 'no listener is left').toBe(0);
  if (call.abortAt === -1) {
    expect(sends).toHaveLength(0);
    return; // axios has not even asked us
  }

  // The report.
  if (report === undefined) throw new Error('a call without a report');
  const { endedBecause } = report;
  const followed = report.sends.slice(0, -1).map(({ decision }) => decision);
  const [retries = 0, replays = 0, polls = 0] = (['retry', 'refresh', 'poll'] as const).map(
    (which) => followed.filter((decision) => decision === which).length,
  );
  expect(report.sends, 'the report has every send').toHaveLength(sends.length);
  expect(report.startedAt).toBe(Math.round(begunAt));
  expect(Math.abs(report.elapsedMs - (endedAt - begunAt)), 'the report knows the time').toBeLessThanOrEqual(
    0.5 + ROUNDING,
  );
  if (sends.length > 0) expect(1 + retries + replays + polls, 'every send is accounted for').toBe(sends.length);
  expect(report.polls).toBe(polls);
  expect(inARow(followed, 'retry')).toBeLessThanOrEqual(retry === false ? 0 : retry.maxRetries);
  expect(inARow(followed, 'refresh'), 'one replay').toBeLessThanOrEqual(auth === false ? 0 : 1);
  if (failure !== undefined) {
    expect(failure).toMatchObject({
      sends: sends.length,
      retries,
      replays,
      polls,
      endedBecause: report.endedBecause === 'success' ? 'not-retryable' : endedBecause,
    });
  }
  const told = (name: string) => seen.events.filter((each) => each === name).length;
  expect([told('sent'), told('answered'), told('finished')]).toEqual([sends.length, sends.length, 1]);

  report.sends.forEach((record, n) => {
    const send = sends[n] as Sent;
    expect(record.startedAt).toBe(Math.round(send.at));
    if (send.outcome !== undefined && (n < sends.length - 1 || abortedAt === undefined)) {
      expect(record.status).toBe(send.play.kind === 'answer' ? send.play.status : undefined);
      expect(record.verdict, `the verdict on send ${n + 1}`).toBe(meanings[n]?.kind);
      expect(Math.abs(record.durationMs - (send.endedAt - send.at))).toBeLessThanOrEqual(SHOWN);
    }
  });

  // What the server named and the call waited.
  const waitedMs = meanings
    .slice(0, -1)
    .reduce((total, { namedMs = 0 }, n) => total + (report.sends[n]?.decision === 'retry' ? namedMs : 0), 0);
  if (retry !== false && retry.whenLonger === 'fail') {
    expect(waitedMs, 'named waits are bounded in sum').toBeLessThanOrEqual(retry.maxMs);
  }

  // From one send to the next.
  let hasAsked = false;
  sends.slice(1).forEach((next, n) => {
    const send = sends[n] as Sent;
    const { kind, unapplied, namedMs, timedOut } = meanings[n] as Meaning;
    const record = report.sends[n];
    const answered = send.play.kind === 'answer';
    if (record?.decision === 'refresh') {
      expect(kind, 'only a 401 is replayed').toBe('unauthorized');
      expect(next.token).toMatch(/^Bearer token-/);
    } else if (record?.decision === 'poll') {
      expect(kind, 'only what is pending is asked for again').toBe('pending');
      const { intervalMs, maxMs } = poll as Exclude<Plan['poll'], false>;
      const delayMs = Number(record.delayMs);
      expect(Math.abs(delayMs - (namedMs ?? intervalMs)), 'at its pace').toBeLessThanOrEqual(SHOWN + ROUNDING);
      expect(next.at - send.endedAt).toBeGreaterThanOrEqual(delayMs - SHOWN);
      const since = sends[report.sends.findIndex(({ decision }) => decision === 'poll')]?.endedAt ?? Number.NaN;
      expect(send.endedAt + delayMs - since, 'polling is bounded').toBeLessThanOrEqual(maxMs + SHOWN + ROUNDING);
      expect(next.method, 'a Location is asked for by GET').toBe(isLocated(send) ? 'get' : send.method);
      expect(isUnsafe(next.method), 'no POST is sent again to ask').toBe(false);
    } else {
      expect(retry, 'nothing is retried where that is off').not.toBe(false);
      expect(isRetryable(kind), `${kind} is not repeated`).toBe(true);
    }
    if (retry !== false && record?.decision === 'retry') {
      const { maxMs, whenLonger, jitterMs } = retry;
      if (timedOut) expect(retry.timeouts).toBe(true);
      const delayMs = Number(record.delayMs);
      const gapMs = next.at - send.endedAt;
      if (namedMs !== undefined) {
        const named = whenLonger === 'clamp' ? Math.min(namedMs, maxMs) : namedMs;
        expect(gapMs, 'never before the time that the server named').toBeGreaterThanOrEqual(named - ROUNDING);
        expect(delayMs, 'and no longer than that').toBeLessThanOrEqual(Math.min(namedMs, maxMs) + jitterMs + 1);
      }
      if (auth === false) {
        const queuedMs = report.sends[n + 1]?.queuedMs ?? 0;
        const waitedMs = delayMs + queuedMs + (beforeMs ?? 0);
        expect(Math.abs(gapMs - waitedMs), 'the waits are the clock’s').toBeLessThanOrEqual(SHOWN + ROUNDING);
      } else expect(gapMs).toBeGreaterThanOrEqual(delayMs - SHOWN);
    }
    // A key that was sent and not answered may have placed the order.
    const inDoubt = sends.slice(0, n).some((before) => before.key === send.key && !isAnswered(before));
    if (isUnsafe(next.method)) {
      const sameKey = send.key !== undefined && send.key === next.key;
      const always = retry !== false && retry.unsafe === 'always' && record?.decision === 'retry';
      const never = retry !== false && retry.unsafe === 'never' && record?.decision === 'retry';
      if (!always) expect(sameKey || (unapplied && !never), 'an order is not placed twice').toBe(true);
    }
    hasAsked ||= record?.decision === 'poll' && isLocated(send);
    if (hasAsked) expect([next.method, next.key], 'who only asks needs no key').toEqual(['get', undefined]);
    else if (call.ownKey) expect([send.key, next.key]).toEqual(['own', 'own']);
    else if (renew === false || !isUnsafe(call.method)) expect(next.key).toBeUndefined();
    else if (renew === 'after-response' && answered && !inDoubt) expect(next.key).not.toBe(send.key);
    else expect(next.key).toBe(send.key);
  });
  if (renew !== false) for (const { key, method } of sends) if (isUnsafe(method)) expect(key).toBeTruthy();

  // What the caller gets, and why there was no further send.
  if (abortedAt !== undefined) {
    // See below.
    const isOdd = call.abortIn === 'classify' && last?.play.kind !== 'answer' && last?.play.code === 'ERR_CANCELED';
    if (!isOdd) expect(endedBecause).toBe('cancelled');
  } else if (errorIn(result) instanceof OwnError || errorIn(result) instanceof TypeError) {
    expect(endedBecause).toBe('not-retryable');
    const backoff = retry === false ? undefined : retry.backoff;
    const givesNoWait = typeof backoff === 'number' && !(backoff >= 0 && backoff < Number.POSITIVE_INFINITY);
    if (errorIn(result) instanceof TypeError) expect(givesNoWait).toBe(true);
    else expect(call.opinions.includes('throws') || backoff === 'throws').toBe(true);
  } else {
    const error = errorIn(result);
    switch (endedBecause) {
      case 'success':
        expect(error).toBeUndefined();
        expect(
          meaning?.kind === 'success' ||
            (meaning?.kind === 'permanent' && call.lenient) ||
            mayNotAsk(last, meaning, poll),
        ).toBe(true);
        break;
      case 'not-retryable':
        expect(
          meaning?.kind === 'permanent' ||
            (meaning?.kind === 'success' && error !== undefined) ||
            mayNotAsk(last, meaning, poll) ||
            (meaning?.kind === 'unauthorized' && auth === false) ||
            (meaning?.timedOut && retry !== false && !retry.timeouts),
        ).toBe(true);
        break;
      case 'retries-exhausted':
        expect(retries).toBeGreaterThanOrEqual(retry === false ? 1 : retry.maxRetries);
        break;
      case 'wait-too-long':
        expect(retry !== false && retry.whenLonger).toBe('fail');
        expect(waitedMs + Number(meaning?.namedMs)).toBeGreaterThan(retry === false ? 0 : retry.maxMs);
        break;
      case 'unsafe-method':
        expect(isUnsafe(String(last?.method))).toBe(true);
        if (meaning?.kind === 'unauthorized') expect(meaning.unapplied).toBe(false);
        else {
          expect(meaning?.unapplied && retry !== false && retry.unsafe !== 'never').toBeFalsy();
          expect(retry !== false && retry.unsafe).not.toBe('always');
        }
        expect(renew).not.toBe('never');
        expect(call.ownKey).toBe(false);
        break;
      case 'disabled':
        expect(retry).toBe(false);
        break;
      case 'budget-empty':
        expect(retry !== false && retry.budget).not.toBe(false);
        break;
      case 'still-unauthorized':
        expect(replays).toBeGreaterThan(0);
        expect(meaning?.kind).toBe('unauthorized');
        break;
      case 'refresh-failed':
        expect(error).toBeInstanceOf(TokenRefreshError);
        break;
      case 'limited':
        expect(limit).not.toBe(false);
        break;
      case 'circuit-open':
        expect(turns.some(({ at, to }) => to === 'open' && at <= endedAt)).toBe(true);
        if (last === undefined) expect((error as CircuitOpenError).retryAt).toBeGreaterThan(endedAt);
        else expect(meaning !== undefined && (isRetryable(meaning.kind) || isOther(meaning.kind))).toBe(true);
        break;
      case 'deadline':
        // At the deadline, or because the next wait ends after it.
        expect(deadlineMs < Number.POSITIVE_INFINITY || meaning?.namedMs === Number.POSITIVE_INFINITY).toBe(true);
        break;
      case 'still-pending':
        expect(meaning?.kind).toBe('pending');
        expect(poll).not.toBe(false);
        break;
      case 'cancelled':
        expect(meaning?.kind).toBe('cancelled');
        break;
      default:
        expect.unreachable(`nothing here can end because of ${endedBecause}`);
    }
    if (
      ['retries-exhausted', 'wait-too-long', 'disabled', 'budget-empty', 'unsafe-method'].includes(endedBecause) &&
      !(endedBecause === 'unsafe-method' && meaning?.kind === 'unauthorized')
    ) {
      expect(meaning !== undefined && isRetryable(meaning.kind), 'the last send was worth a retry').toBe(true);
    }
    if (endedBecause === 'refresh-failed') {
      const response = last?.play.kind === 'answer' ? last.play.status : undefined;
      expect((error as TokenRefreshError).response?.status).toBe(response);
    } else if (last === undefined) {
      if (endedBecause === 'limited') expect(error).toBeInstanceOf(LimitError);
      else if (endedBecause === 'circuit-open') expect(error).toBeInstanceOf(CircuitOpenError);
      else expect(endedBecause).toBe('deadline');
      expect(codeOf(error)).toMatch(/^(ETIMEDOUT|ERR_CIRCUIT_OPEN|ERR_LIMIT_(DEADLINE|QUEUE_FULL))$/);
    } else if (cutOff) {
      expect(isAxiosError(error) && error.code, 'a send that the deadline cut off').toBe('ETIMEDOUT');
    } else if (
      last.outcome !== undefined &&
      'response' in last.outcome &&
      meaning?.kind === 'pending' &&
      endedBecause !== 'success'
    ) {
      // Nobody may take it for the result.
      expect(isAxiosError(error) && error.response, 'the last answer, rejected').toBe(last.outcome.response);
      expect(failure?.kind).toBe('pending');
    } else if (last.outcome !== undefined && 'response' in last.outcome) {
      expect('value' in (result ?? {}) && (result as { value: unknown }).value, 'the last answer').toBe(
        last.outcome.response,
      );
    } else expect(error, 'the last error').toBe(errorIn(last.outcome));
  }

  expect(permits.held(`/${index}`), 'no permit is kept').toBe(0);
}

/** The rules of the circuit that all calls go through. */
function checkCircuit({ breaker, deadlineMs }: Plan, { calls, turns, holdfast }: Played): void {
  // A send whose call was aborted is over, also where its adapter is deaf.
  const sends = calls.flatMap(({ sends, endedAt }) =>
    sends.map((send) => ({ at: send.at, endedAt: Math.min(send.endedAt, endedAt) })),
  );
  if (breaker === false) expect(turns).toEqual([]);
  turns.forEach(({ at, to, retryAt, answered }, n) => {
    const before = turns[n - 1];
    if (to === 'closed') {
      expect(before?.to, 'what is closed was open').toBe('open');
      return;
    }
    const { minimumThroughput, openMs } = breaker as Exclude<Plan['breaker'], false>;
    expect(Math.abs(retryAt - (at + openMs))).toBeLessThanOrEqual(SHOWN);
    if (before?.to !== 'open') {
      const since = answered - (before?.answered ?? 0);
      expect(since, 'too few sends open no circuit').toBeGreaterThanOrEqual(minimumThroughput);
    }
    const next = turns[n + 1]?.at ?? Number.POSITIVE_INFINITY;
    const probes = sends.filter((send) => send.at > at && send.at < next);
    probes.forEach((probe, i) => {
      // A probe that its deadline has ended stops only calls that have no more time than that had.
      const isPatient = before?.to === 'open' && deadlineMs !== undefined;
      if (!isPatient) expect(probe.at, 'an open circuit lets nothing out').toBeGreaterThanOrEqual(retryAt - SHOWN);
      const last = probes[i - 1];
      if (last === undefined) return;
      const over = Math.min(last.endedAt, last.at + 60_000);
      expect(probe.at, 'one probe at a time').toBeGreaterThanOrEqual(over - ROUNDING);
    });
  });
  const isOpen = turns.at(-1)?.to === 'open';
  expect(holdfast.stats().open).toHaveLength(isOpen ? 1 : 0);
}

/** A circuit that opens, and closes again: of a thousand plans no more than a handful come so far. */
const CLOSES: Plan = {
  calls: [
    {
      method: 'get',
      ownKey: false,
      plays: [503, 200].map((status) => ({ kind: 'answer', status, hint: undefined, located: false, ms: 1 })),
      opinions: [],
      abortAt: undefined,
      abortIn: undefined,
      lenient: false,
      deaf: false,
    },
  ],
  retry: {
    maxRetries: 3,
    backoff: 5_000,
    maxMs: 60_000,
    whenLonger: 'fail',
    jitterMs: 0,
    unsafe: 'when-unapplied',
    timeouts: true,
    budget: 'default',
  },
  poll: false,
  statuses: {},
  deadlineMs: undefined,
  renew: false,
  auth: false,
  limit: false,
  breaker: { failureRatio: 0.5, minimumThroughput: 1, windowMs: 10_000, openMs: 50 },
  beforeMs: undefined,
  seed: 0,
};

describe('whatever the outcomes, the policy, the method, and the time of an abort', () => {
  it('the rules of the loop hold', async () => {
    const turned = { open: 0, closed: 0 };
    await fc.assert(
      fc.asyncProperty(plan, async (given) => {
        const played = await playLoop(given);
        const { calls, holdfast, permits } = played;
        calls.forEach((call, n) => {
          check(call, n, given, played);
        });
        expect(played.idlePermits, 'no permit is held during a wait or a refresh').toEqual([]);
        expect(
          permits.released.filter((times) => times !== 1),
          'every permit is given back once',
        ).toEqual([]);
        expect(permits.answeredLate, 'an answer reaches the limiter before its permit is released').toEqual([]);
        checkCircuit(given, played);
        for (const { to } of played.turns) turned[to] += 1;
        const stats = holdfast.stats();
        expect(stats).toMatchObject({ inFlight: 0, queued: 0, waiting: 0 });
        expect(stats.sends).toBe(calls.reduce((total, { sends }) => total + sends.length, 0));
        const reached = calls.filter(({ plan: { abortAt } }) => abortAt !== -1);
        expect(stats.calls).toBe(reached.length);
        const first = calls.filter(({ sends }) => sends.length > 0).length;
        expect(stats.sends).toBe(first + stats.retries + stats.replays + stats.polls);
        if (given.auth === false) expect(played.timersAtEnd, 'no timer is left').toBe(0);
        expect(played.timersAfterwards, 'nor afterwards').toBe(0);
      }),
      { numRuns: 1_000, examples: [[CLOSES]] },
    );
    // Else nothing was seen of the rules of a circuit.
    expect(Math.min(turned.open, turned.closed)).toBeGreaterThan(0);
  });
});

describe('a judge that gives its own call up, over a send that somebody else has cancelled,', () => {
  it('ends it as cancelled', async () => {
    const { calls } = await playLoop({
      calls: [
        {
          method: 'get',
          ownKey: false,
          plays: [{ kind: 'error', code: 'ERR_CANCELED', ms: 0 }],
          opinions: [{ kind: 'success' }],
          abortAt: undefined,
          abortIn: 'classify',
          lenient: false,
          deaf: false,
        },
      ],
      retry: false,
      poll: false,
      statuses: {},
      deadlineMs: undefined,
      renew: false,
      auth: false,
      limit: false,
      breaker: false,
      beforeMs: undefined,
      seed: 0,
    });
    expect(calls.map((call) => storyOf(call).report?.endedBecause)).toEqual(['cancelled']);
  });
});
