import { getEventListeners } from 'node:events';
import axios, {
  AxiosError,
  AxiosHeaders,
  type AxiosResponse,
  CanceledError,
  type InternalAxiosRequestConfig,
} from 'axios';
import type { Attachment } from '../../lib/attach.ts';
import type { Report } from '../../lib/call/report.ts';
import { LimitError } from '../../lib/failure/errors.ts';
import { type Failure, failureOf, reportOf } from '../../lib/failure/failure.ts';
import { attachWith } from '../../lib/full.ts';
import type { Limiter, Permit, PermitRequest } from '../../lib/limit/limiter.ts';
import type { Policy } from '../../lib/policy/options.ts';
import { exponentialBackoff } from '../../lib/time/backoff.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';
import type { CallPlan, Grant, Hint, Plan, Play } from './loop-plan.ts';

/** One adapter call, as the adapter saw it. */
export interface Sent {
  readonly at: number;
  readonly play: Play;
  readonly method: string;
  readonly key: string | undefined;
  readonly token: string | undefined;
  /** Whether the caller had given up by then. */
  readonly aborted: boolean;
  /** Permits that its call held. */
  readonly held: number;
  /** What it gave, and when; nothing while it is on its way, nor where that came only after the call had ended. */
  outcome: { readonly response: AxiosResponse } | { readonly error: unknown } | undefined;
  endedAt: number;
  /** The instant that the server named, and whether by a Retry-After; ms since the epoch. */
  namedAt: number | undefined;
  explicit: boolean;
}

/** All that was seen of a call. */
export interface Seen {
  readonly plan: CallPlan;
  readonly sends: Sent[];
  readonly events: string[];
  /** Gives the call up. */
  abort: () => void;
  /** Sends that `beforeSend` is busy with. */
  preparing: number;
  begunAt: number;
  endedAt: number;
  /** Whether the caller gave up before the end, and when. */
  abortedAt: number | undefined;
  result: { readonly value: unknown } | { readonly error: unknown } | undefined;
  /** Listeners on the caller's signal, at the end; those of the adapter, which may have been left behind, do not count. */
  listeners: number;
  adapters: number;
}

/** The circuit opened, for the first time or for longer, or was closed. */
export interface Turn {
  readonly at: number;
  readonly to: 'open' | 'closed';
  readonly retryAt: number;
  /** How many sends, of all calls, had been answered by then, or given up. */
  readonly answered: number;
}

export interface Played {
  readonly clock: ManualClock;
  readonly holdfast: Attachment;
  readonly calls: readonly Seen[];
  readonly permits: Permits;
  /** What the one circuit turned to, and when; `retryAt` is when a probe may leave. */
  readonly turns: readonly Turn[];
  /** Whether a permit was held by a call that had nothing on the wire while time passed. */
  readonly idlePermits: string[];
  /** Timers that are left at the end, without those of sends and refreshes that were left behind. */
  readonly timersAtEnd: number;
  readonly timersAfterwards: number;
}

/** A timer that is not the library's; gives the function that takes it back. */
type Later = (ms: number, fire: () => void) => () => void;

/** A limiter that writes down who holds what, and how often it was given back. */
export class Permits implements Limiter {
  readonly released: number[] = [];
  readonly answeredLate: number[] = [];
  readonly owners: string[] = [];
  private readonly grants: readonly Grant[];
  private readonly later: Later;
  private readonly onAsked: (key: string) => void;
  private asked = 0;

  constructor(grants: readonly Grant[], later: Later, onAsked: (key: string) => void) {
    this.grants = grants;
    this.later = later;
    this.onAsked = onAsked;
  }

  readonly key = (config: InternalAxiosRequestConfig): string => `/${config.url?.at(-1)}`;

  held(owner: string): number {
    return this.owners.filter((each, n) => each === owner && this.released[n] === 0).length;
  }

  acquire({ key }: PermitRequest): Permit | Promise<Permit> {
    const grant = this.grants[this.asked++ % this.grants.length] ?? 'now';
    this.onAsked(key);
    const refusal = () => new LimitError('ERR_LIMIT_QUEUE_FULL', 'refused');
    if (grant === 'now') return this.permit(key);
    if (grant === 'throw') throw refusal();
    if (grant === 'refuse') return Promise.reject(refusal());
    // Deaf to the signal: whoever gave up gets a permit all the same.
    return new Promise((resolve) => this.later(grant, () => resolve(this.permit(key))));
  }

  pause(): void {}

  async close(): Promise<void> {}

  stats() {
    return { queued: 0, running: this.released.filter((times) => times === 0).length };
  }

  private permit(owner: string): Permit {
    const n = this.owners.push(owner) - 1;
    this.released[n] = 0;
    return {
      answered: () => {
        if (this.released[n] !== 0) this.answeredLate.push(n);
      },
      release: () => {
        this.released[n] = Number(this.released[n]) + 1;
      },
    };
  }
}

/** What the policy's own code throws: a new one each time, since a report belongs to one error. */
export class OwnError extends Error {}
const ORIGIN = 'https://api.example.com';

/** Plays a plan on a clock that is moved from timer to timer until every call has ended, and then until nothing is left. */
export async function playLoop(plan: Plan): Promise<Played> {
  const clock = new ManualClock();
  const random = seeded(plan.seed);
  const calls: Seen[] = plan.calls.map((each) => ({
    plan: each,
    sends: [],
    events: [],
    abort: () => {},
    preparing: 0,
    begunAt: 0,
    endedAt: 0,
    abortedAt: undefined,
    result: undefined,
    listeners: 0,
    adapters: 0,
  }));
  const callOf = ({ url }: { url?: string | undefined }) => calls[Number(url?.at(-1))] as Seen;
  /** Timers that are not the library's. */
  const foreign = new Set<() => void>();
  const later: Later = (ms, fire) => {
    const stop = clock.after(ms, () => {
      foreign.delete(stop);
      fire();
    });
    foreign.add(stop);
    return () => {
      foreign.delete(stop);
      stop();
    };
  };

  const permits = new Permits(plan.limit || [], later, (url) => abortIn('acquire', callOf({ url })));

  const adapter = (config: InternalAxiosRequestConfig): Promise<AxiosResponse> => {
    const call = callOf(config);
    const { plays, deaf } = call.plan;
    const play = plays[Math.min(call.sends.length, plays.length - 1)] as Play;
    const text = (name: string) => config.headers.get(name)?.toString();
    const sent: Sent = {
      at: clock.now(),
      play,
      method: String(config.method),
      key: text('Idempotency-Key'),
      token: text('Authorization'),
      aborted: config.signal?.aborted === true,
      held: permits.held(permits.key(config)),
      outcome: undefined,
      endedAt: Number.POSITIVE_INFINITY,
      namedAt: undefined,
      explicit: false,
    };
    call.sends.push(sent);
    call.preparing = 0;
    const ended = (outcome: NonNullable<Sent['outcome']>) => {
      if (call.result !== undefined) return;
      sent.outcome = outcome;
      sent.endedAt = clock.now();
    };
    if (play.kind === 'throws') {
      const error = play.code === 'no code' ? new Error('no code') : errorOf(play.code, config);
      ended({ error });
      throw error;
    }
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => {
        over();
        ended({ error });
        reject(error);
      };
      const answer = () => {
        if (play.kind === 'error') return fail(errorOf(play.code, config));
        const { headers, at, explicit } = told(play.hint, clock.now());
        sent.namedAt = at;
        sent.explicit = explicit;
        const response = {
          status: play.status,
          statusText: '',
          headers: new AxiosHeaders({ ...headers, ...(play.located && { Location: `/jobs/${config.url?.at(-1)}` }) }),
          config,
          data: '',
          request: {},
        };
        if (config.validateStatus?.(play.status)) {
          over();
          ended({ response });
          resolve(response);
        } else fail(new AxiosError(`${play.status}`, 'ERR_BAD_RESPONSE', config, {}, response));
      };
      const abort = () => {
        const error = new CanceledError(undefined, config as never);
        if (call.abortedAt !== undefined) return fail(error);
        // The deadline has cut the send off, and nobody hears what comes of it.
        over();
        reject(error);
      };
      const stops = [later(play.ms, answer)];
      if (!deaf && config.timeout) stops.push(later(config.timeout, () => fail(errorOf('ECONNABORTED', config))));
      const listens = !deaf && config.signal !== undefined;
      if (listens) {
        call.adapters += 1;
        config.signal?.addEventListener?.('abort', abort);
      }
      const over = () => {
        for (const stop of stops) stop();
        if (!listens) return;
        call.adapters -= 1;
        config.signal?.removeEventListener?.('abort', abort);
      };
    });
  };

  const client = axios.create({ baseURL: ORIGIN, adapter });
  const holdfast = attachWith({ clock, random }, client, policyOf(plan, { clock, permits, later, callOf }));
  for (const name of ['sent', 'answered', 'retry-scheduled', 'poll-scheduled', 'finished'] as const) {
    holdfast.on(name, (event) => {
      const call = callOf({ url: event.call.url });
      call.events.push(name);
      if (name !== 'retry-scheduled' && name !== 'poll-scheduled') return;
      abortIn(name, call);
      if (permits.held(`/${calls.indexOf(call)}`) > 0) idlePermits.push('before a wait');
    });
  }

  const turns: Turn[] = [];
  let answered = 0;
  const turned = (to: Turn['to'], retryAt: number) => {
    turns.push({ at: clock.now(), to, retryAt, answered });
  };
  holdfast.on('answered', () => {
    answered += 1;
  });
  holdfast.on('circuit-opened', ({ retryAt }) => turned('open', retryAt));
  holdfast.on('circuit-closed', () => turned('closed', Number.NaN));

  const idlePermits: string[] = [];
  const aborters = calls.map((call, n) => {
    const { plan: each } = call;
    const aborter = new AbortController();
    call.abort = () => {
      if (call.result === undefined) call.abortedAt ??= clock.now();
      aborter.abort();
    };
    if (each.abortAt === -1) call.abort();
    else if (each.abortAt !== undefined) later(each.abortAt, call.abort);
    call.begunAt = clock.now();
    const body = each.method === 'get' || each.method === 'delete' ? {} : { data: '{"order":1}' };
    client
      .request({
        url: `/${n}`,
        method: each.method,
        ...body,
        ...((each.abortAt ?? each.abortIn) !== undefined && { signal: aborter.signal }),
        ...(each.ownKey && { headers: { 'Idempotency-Key': 'own' } }),
        ...(each.lenient && { validateStatus: () => true }),
      })
      .then(
        (value) => {
          call.result = { value };
        },
        (error: unknown) => {
          call.result = { error };
        },
      )
      .finally(() => {
        call.endedAt = clock.now();
        call.listeners = getEventListeners(aborter.signal, 'abort').length - call.adapters;
      });
    return aborter;
  });

  const look = () => {
    calls.forEach((call, n) => {
      const held = permits.held(`/${n}`);
      const busy = call.sends.filter(({ outcome }) => outcome === undefined).length + call.preparing;
      if (held > (call.result === undefined ? busy : 0)) idlePermits.push(`call ${n} at ${clock.now()}`);
    });
  };
  /** From timer to timer; every one of them is one turn. */
  const runUntil = async (over: () => boolean) => {
    for (let turns = 0, idle = 0; turns < 20_000 && idle < 10; turns++) {
      await settle();
      look();
      if (over()) return;
      idle = clock.nextIn === undefined ? idle + 1 : 0;
      if (clock.nextIn !== undefined) await clock.advance(clock.nextIn);
    }
  };
  await runUntil(() => calls.every(({ result }) => result !== undefined));
  const timersAtEnd = clock.pending - foreign.size;
  // What was left behind comes to its end as well, and must do nobody any harm.
  await runUntil(() => clock.pending === 0);
  for (const aborter of aborters) aborter.abort();
  await settle();
  return { clock, holdfast, calls, permits, turns, idlePermits, timersAtEnd, timersAfterwards: clock.pending };
}

const abortIn = (where: CallPlan['abortIn'], call: Seen) => {
  if (call.plan.abortIn === where) call.abort();
};

interface Around {
  readonly clock: ManualClock;
  readonly permits: Permits;
  readonly later: Later;
  callOf(config: { url?: string | undefined }): Seen;
}

function policyOf(plan: Plan, { clock, permits, later, callOf }: Around): Policy {
  const { retry, poll, auth, limit, breaker, renew, deadlineMs, beforeMs, statuses } = plan;
  const judged = new Map<Seen, number>();
  let refreshed = 0;
  const begun = clock.now();
  return {
    statuses,
    poll,
    breaker,
    ...(deadlineMs !== undefined && { deadlineMs }),
    ...(limit !== false && { limit: permits }),
    ...(renew !== false && { idempotency: { renew } }),
    ...(plan.calls.some(({ opinions, abortIn: where }) => opinions.length > 0 || where === 'classify') && {
      classify: ({ call }: { call: { url: string } }) => {
        const seen = callOf(call);
        const n = judged.get(seen) ?? 0;
        judged.set(seen, n + 1);
        abortIn('classify', seen);
        const { opinions } = seen.plan;
        const opinion = opinions[n % opinions.length];
        if (opinion !== 'throws') return opinion;
        throw new OwnError();
      },
    }),
    ...(beforeMs !== undefined && {
      beforeSend: ({ config }: { config: InternalAxiosRequestConfig }) => {
        const seen = callOf(config);
        seen.preparing = 1;
        abortIn('beforeSend', seen);
        return new Promise<void>((resolve) => later(beforeMs, resolve));
      },
    }),
    retry: retry !== false && {
      maxRetries: retry.maxRetries,
      unsafe: retry.unsafe,
      timeouts: retry.timeouts,
      retryAfter: { maxMs: retry.maxMs, whenLonger: retry.whenLonger, jitterMs: retry.jitterMs },
      budget: retry.budget === 'default' ? {} : retry.budget !== false && { capacity: retry.budget },
      backoff: retry.backoff === 'default' ? exponentialBackoff() : backoffOf(retry.backoff),
    },
    auth: auth !== false && {
      token: () => ({
        value: 'token-0',
        expiresAt: auth.expiresIn === undefined ? undefined : begun + auth.expiresIn,
      }),
      retry: { retries: 0 },
      refresh: async ({ token }) => {
        const n = refreshed++;
        await new Promise<void>((resolve) => later(auth.refreshMs, resolve));
        const how = auth.refreshes[n % auth.refreshes.length];
        if (how === 'fails') throw Object.assign(new Error('refused'), { status: 400 });
        return how === 'same' ? token.value : `token-${n + 1}`;
      },
    },
  };
}

function backoffOf(what: number | 'throws') {
  return () => {
    if (what === 'throws') throw new OwnError();
    return what;
  };
}

function errorOf(code: string, config: InternalAxiosRequestConfig): AxiosError {
  return code === 'ERR_CANCELED'
    ? new CanceledError(undefined, config as never)
    : new AxiosError(code, code, config, {});
}

/** The headers that say it, and the instant that they name. */
function told(
  hint: Hint | undefined,
  now: number,
): { headers: Record<string, string>; at: number | undefined; explicit: boolean } {
  switch (hint?.says) {
    case undefined:
      return { headers: {}, at: undefined, explicit: false };
    case 'garbage':
      return { headers: { 'Retry-After': hint.text }, at: undefined, explicit: false };
    case 'seconds':
      return { headers: { 'Retry-After': `${hint.seconds}` }, at: now + hint.seconds * 1_000, explicit: true };
    case 'ms':
      return { headers: { 'Retry-After-Ms': `${hint.ms}` }, at: now + hint.ms, explicit: true };
    case 'quota': {
      const headers = { 'RateLimit-Remaining': '0', 'RateLimit-Reset': `${hint.seconds}` };
      return { headers, at: now + hint.seconds * 1_000, explicit: false };
    }
    case 'date': {
      const server = Math.floor(now / 1_000) * 1_000 + hint.aheadS * 1_000;
      const date = (ms: number) => new Date(ms).toUTCString();
      const headers = {
        'Retry-After': date(server + hint.seconds * 1_000),
        ...(hint.dated && { Date: date(server) }),
      };
      const waitMs = hint.dated ? hint.seconds * 1_000 : server + hint.seconds * 1_000 - now;
      return { headers, at: now + Math.max(0, waitMs), explicit: true };
    }
  }
}

/** A small generator of numbers in [0, 1), so that a run can be repeated. */
function seeded(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** What the library tells of the end of a call. */
export function storyOf({ result }: Seen): { report: Report | undefined; failure: Failure | undefined } {
  if (result === undefined) return { report: undefined, failure: undefined };
  const ending = 'value' in result ? result.value : result.error;
  return { report: reportOf(ending), failure: failureOf(ending) };
}
