import { getEventListeners } from 'node:events';
import axios, {
  AxiosError,
  AxiosHeaders,
  type AxiosInstance,
  type AxiosResponse,
  CanceledError,
  type InternalAxiosRequestConfig,
} from 'axios';
import type { Attachment, Stats } from '../../lib/attach.ts';
import type { Report } from '../../lib/call/report.ts';
import type { VerdictKind } from '../../lib/call/verdict.ts';
import { reportOf } from '../../lib/failure/failure.ts';
import { attachWith } from '../../lib/full.ts';
import type { Limiter } from '../../lib/limit/limiter.ts';
import { localLimiterWith } from '../../lib/limit/local/local-buckets.ts';
import { fillIn, type LimitOptions } from '../../lib/limit/options.ts';
import type { Policy } from '../../lib/policy/options.ts';
import { type Ran, SimulatedClock } from '../support/simulated-clock.ts';
import { ModelServer, type Reply } from './model-server.ts';
import type { Group, Plan } from './traffic-plan.ts';

/** One request, as the adapter saw it. Instants are ms from the start. */
export interface Sent {
  readonly n: number;
  readonly at: number;
  /** Counts all that happens, so that what is at one instant has an order. */
  readonly turn: number;
  /** When it had its permit at the latest: before `beforeSend`. */
  readonly permitted: { readonly at: number; readonly turn: number };
  readonly token: string | undefined;
  readonly key: string | undefined;
  /** Its call had been given up by then. */
  readonly isVain: boolean;
  /** How many were on the wire to that host through that limiter, with this one; those within another send not counted. */
  readonly onWire: number;
  reply: Reply | undefined;
  arrivedAt: number | undefined;
  /** When the library had done with it. */
  endedAt: number | undefined;
  endedTurn: number | undefined;
  verdict: VerdictKind | undefined;
  /** What the adapter gave, if it was still asked for. */
  outcome: { readonly response: AxiosResponse } | { readonly error: unknown } | undefined;
}

/** One call. */
export interface Seen {
  readonly name: string;
  readonly group: Group;
  readonly client: 0 | 1;
  /** Begun before: smaller. */
  readonly order: number;
  readonly begunAt: number;
  /** The call within one of whose sends it is made. */
  readonly within: Seen | undefined;
  /** Begun after its attachment had been taken off, so that nothing of ours is around it. */
  readonly isBare: boolean;
  readonly aborter: AbortController;
  readonly sends: Sent[];
  abortedAt: number | undefined;
  endedAt: number | undefined;
  result: { readonly value: AxiosResponse } | { readonly error: unknown } | undefined;
  report: Report | undefined;
  /** Of our listeners on the caller's signal, when it had ended. */
  listeners: number;
  /** Those of the adapter. */
  adapters: number;
  finished: number;
  /** How long it spent in `beforeSend`, in ms. */
  beforeMs: number;
  /** When it came to `beforeSend`, while it is there. */
  before: { readonly at: number; readonly turn: number } | undefined;
}

/** Who stood in which line at the end of a turn. */
export interface Standing {
  readonly seen: Seen;
  readonly since: number;
}

/** The lines changed from one turn to the next. */
export interface Granted {
  readonly at: number;
  readonly who: Seen;
  /** Who stood there before it was let go, and still does. */
  readonly passedOver: readonly Seen[];
  /** Refusals in a row of that host, just then. */
  readonly refusals: number;
}

export interface Refresh {
  readonly client: number;
  readonly of: string;
  readonly at: number;
  endedAt: number | undefined;
  succeeded: boolean;
  /** How many were under way, with this one. */
  readonly atOnce: number;
}

export interface Turned {
  readonly turn: number;
  readonly at: number;
  readonly client: number;
  readonly host: string;
  readonly to: 'open' | 'closed';
  readonly retryAt: number;
}

export interface Played {
  readonly plan: Plan;
  readonly ran: Ran;
  readonly calls: readonly Seen[];
  readonly granted: readonly Granted[];
  readonly refreshes: readonly Refresh[];
  readonly turns: readonly Turned[];
  /** The longest line that was seen, of those to one host. */
  readonly longestLine: number;
  /** The longest that anybody stood in a line, with who it was. */
  readonly longestStand: { readonly ms: number; readonly who: string };
  /** Balances that were seen outside of what a bucket may hold. */
  readonly wrongBalances: readonly string[];
  readonly closing:
    | { readonly at: number; readonly turn: number; settledAt: number | undefined; stillWaiting: number }
    | undefined;
  /** When all that had been begun had ended. */
  readonly atEnd: { readonly timers: number; readonly refreshing: number };
  readonly stats: readonly Stats[];
  readonly pending: readonly string[];
  readonly limiter: { readonly queued: number; readonly running: number } | undefined;
  /** Timers when nothing more was to come. */
  readonly timersAfterwards: number;
  /** What came of some calls long afterwards, to a server that is well. */
  readonly afterwards:
    | { readonly failed: readonly string[]; readonly atOnce: number; readonly wanted: number }
    | undefined;
}

const HOSTS = { a: 'https://a.example.com', b: 'https://b.example.com' };
/** Longer than anything is remembered. */
const LONG_MS = 11 * 60_000;
/** Longer than between two sends at any pace, also at one that was learnt. */
const APART_MS = 70_000;
const NO_REFUSALS = { inARow: 0, turn: 0 };
const AFTERWARDS: Group = {
  at: 0,
  count: 1,
  everyMs: 0,
  method: 'get',
  host: 'a',
  client: 0,
  priority: 0,
  ownKey: false,
  abortAfterMs: undefined,
  nested: undefined,
};

/** Plays a plan to its end, on a clock that moves by itself. */
export async function playTraffic(plan: Plan): Promise<Played> {
  return new World(plan).play();
}

class World {
  readonly plan: Plan;
  readonly clock: SimulatedClock;
  readonly server: ModelServer;
  readonly shared: Limiter | undefined;
  readonly instances: AxiosInstance[] = [];
  readonly attachments: Attachment[] = [];
  readonly isOff = [false, false];
  readonly calls: Seen[] = [];
  readonly byName = new Map<string, Seen>();
  readonly granted: Granted[] = [];
  readonly refreshes: Refresh[] = [];
  readonly turns: Turned[] = [];
  readonly wrongBalances: string[] = [];
  readonly onWire = new Map<string, number>();
  readonly refusals = new Map<string, { readonly inARow: number; readonly turn: number }>();
  lines = new Map<string, Standing>();
  longestLine = 0;
  longestStand = { ms: 0, who: '' };
  closing: Played['closing'];
  tokens = 0;
  turn = 0;
  /** How often `beforeSend` is at work, be it for calls that are over. */
  preparing = 0;
  /** Answers that are kept until somebody lets them go. */
  kept: (() => void)[] | undefined;
  mostKept = 0;

  constructor(plan: Plan) {
    this.plan = plan;
    const late = seeded(plan.seed + 2);
    this.clock = new SimulatedClock(() => Math.floor(late() * (plan.lateMs + 1)));
    const { auth, limit } = plan.policy;
    const windows = limit === false ? [] : limit.windows;
    this.server = new ModelServer(plan.server, windows, seeded(plan.seed + 1));
    const random = seeded(plan.seed);
    if (limit !== false && limit.shared)
      this.shared = localLimiterWith(this.clock, fillIn(this.#limitOptions()), random);
    const clients: (0 | 1)[] = this.shared === undefined ? [0] : [0, 1];
    for (const client of clients) {
      const { timeoutMs } = plan.policy;
      const adapter = (config: InternalAxiosRequestConfig) => this.#adapter(config);
      const instance = axios.create({ adapter, ...(timeoutMs !== undefined && { timeout: timeoutMs }) });
      const attachment = attachWith({ clock: this.clock, random }, instance, this.#policy(client));
      this.instances.push(instance);
      this.attachments.push(attachment);
      this.#listen(attachment, client);
      if (auth !== false) this.server.issue(`first-${client}`, auth.lifeMs ?? Number.POSITIVE_INFINITY);
    }
  }

  async play(): Promise<Played> {
    const { attachments, clock, plan, shared } = this;
    let begun = 0;
    let count = 0;
    for (const [g, group] of plan.groups.entries()) {
      count += group.count;
      for (let n = 0; n < group.count; n++) {
        clock.happens(group.at + n * group.everyMs, () => {
          begun += 1;
          this.#call(`g${g}-${n}`, group);
        });
      }
    }
    for (const at of plan.server.revocations) clock.happens(at, () => this.server.revokeAll());
    if (plan.ending !== undefined) clock.happens(plan.ending.at, () => this.#end());
    const look = () => this.#look();
    const isDone = () =>
      begun === count &&
      this.preparing === 0 &&
      this.calls.every(({ result }) => result !== undefined) &&
      (plan.ending === undefined || this.closing !== undefined) &&
      (this.closing === undefined || this.closing.settledAt !== undefined);
    const ran = await clock.run(isDone, look);
    // Two timers for one instant need not fire in one turn.
    await this.#pass(plan.lateMs + 2);
    const atEnd = {
      timers: clock.timers,
      refreshing: this.refreshes.filter(({ endedAt }) => endedAt === undefined).length,
    };
    const pending = attachments.flatMap((each) => each.pending()).map(({ call: { url }, why }) => `${url}: ${why}`);
    // What goes on in the background comes to its end as well.
    if (ran === 'done') await clock.run(() => false, look);
    const stats = attachments.map((each) => each.stats());
    const limiter = shared?.stats();
    const timersAfterwards = clock.timers;
    const calls = [...this.calls];
    const refreshes = [...this.refreshes];
    const afterwards = ran === 'done' ? await this.#afterwards() : undefined;
    const { granted, turns, longestLine, longestStand, wrongBalances, closing } = this;
    return {
      ...{ plan, ran, calls, granted, refreshes, turns, longestLine, longestStand, wrongBalances, closing },
      ...{ atEnd, stats, pending, limiter, timersAfterwards, afterwards },
    };
  }

  /** So much time passes, with all that falls due meanwhile. */
  async #pass(ms: number): Promise<void> {
    let isOver = false;
    this.clock.happens(ms, () => {
      isOver = true;
    });
    await this.clock.run(
      () => isOver,
      () => this.#look(),
    );
  }

  get #now(): number {
    return this.clock.elapsedMs;
  }

  #call(name: string, group: Group, within?: Seen, more: object = {}): Promise<unknown> {
    const client = within?.client ?? (this.shared === undefined ? 0 : group.client);
    const aborter = new AbortController();
    const seen: Seen = {
      ...{ name, group, client, within, aborter },
      order: this.calls.length,
      begunAt: this.#now,
      isBare: this.isOff[client] === true,
      ...{ sends: [], abortedAt: undefined, endedAt: undefined, result: undefined, report: undefined },
      ...{ listeners: 0, adapters: 0, finished: 0, beforeMs: 0, before: undefined },
    };
    this.calls.push(seen);
    this.byName.set(name, seen);
    const { abortAfterMs } = group;
    if (abortAfterMs !== undefined && within === undefined) {
      this.clock.happens(abortAfterMs, () => {
        if (seen.result === undefined) seen.abortedAt = this.#now;
        aborter.abort();
      });
    }
    const isGet = group.method === 'get' || within !== undefined;
    const end = (result: Seen['result']) => {
      seen.result = result;
      seen.endedAt = this.#now;
      seen.report = reportOf(result !== undefined && 'value' in result ? result.value : result?.error);
      seen.listeners = getEventListeners(aborter.signal, 'abort').length - seen.adapters;
      this.#leftBefore(seen);
    };
    return (this.instances[client] as AxiosInstance)
      .request({
        url: `${HOSTS[group.host]}/${name}`,
        method: isGet ? 'get' : group.method,
        ...(!isGet && { data: '{"order":1}' }),
        ...(abortAfterMs !== undefined && within === undefined && { signal: aborter.signal }),
        ...(group.ownKey && { headers: { 'Idempotency-Key': `own-${name}` } }),
        ...more,
      })
      .then(
        (value) => end({ value }),
        (error: unknown) => end({ error }),
      );
  }

  #seen({ url = '' }: { url?: string | undefined }): Seen {
    return this.byName.get(url.slice(url.lastIndexOf('/') + 1)) as Seen;
  }

  /** Through which line a call goes. */
  #line({ client, group: { host } }: Seen): string {
    return this.shared === undefined ? `${client} ${host}` : host;
  }

  async #adapter(config: InternalAxiosRequestConfig): Promise<AxiosResponse> {
    const { clock, plan, server } = this;
    const seen = this.#seen(config);
    const line = this.#line(seen);
    const isWithin = seen.within !== undefined;
    const text = (name: string) => config.headers.get(name)?.toString();
    const turn = ++this.turn;
    if (!isWithin && !seen.isBare) this.onWire.set(line, (this.onWire.get(line) ?? 0) + 1);
    const sent: Sent = {
      ...{ n: seen.sends.length, at: this.#now, turn },
      permitted: { at: seen.before?.at ?? this.#now, turn: seen.before?.turn ?? turn },
      token: text('Authorization')?.slice('Bearer '.length),
      key: text('Idempotency-Key'),
      isVain: seen.abortedAt !== undefined,
      onWire: this.onWire.get(line) ?? 0,
      ...{
        reply: undefined,
        arrivedAt: undefined,
        endedAt: undefined,
        endedTurn: undefined,
        verdict: undefined,
        outcome: undefined,
      },
    };
    seen.sends.push(sent);
    this.#leftBefore(seen);
    if (seen.group.nested === 'adapter' && !isWithin) await this.#call(`${seen.name}-in${sent.n}`, seen.group, seen);

    return new Promise((resolve, reject) => {
      const { signal } = config;
      const stops: (() => void)[] = [];
      let isOver = false;
      const over = () => {
        for (const stop of stops) stop();
        signal?.removeEventListener?.('abort', abort);
        if (listens && !isOver && signal === seen.aborter.signal) seen.adapters -= 1;
        isOver = true;
      };
      const settle = (outcome: NonNullable<Sent['outcome']>) => {
        over();
        if (sent.endedAt === undefined && seen.result === undefined) sent.outcome = outcome;
        if ('response' in outcome) resolve(outcome.response);
        else reject(outcome.error);
      };
      const abort = () => settle({ error: new CanceledError(undefined, config as never) });
      const listens = !plan.deaf && signal !== undefined;
      const answer = (reply: Reply) => {
        const { status, code, headers } = reply;
        if (status === undefined) return settle({ error: new AxiosError(code, code, config, {}) });
        const response = { status, statusText: '', headers: new AxiosHeaders(headers), config, data: '', request: {} };
        if (config.validateStatus?.(status)) settle({ response });
        else settle({ error: new AxiosError(`${status}`, 'ERR_BAD_RESPONSE', config, {}, response) });
      };
      if (listens) {
        if (signal?.aborted) return reject(new CanceledError(undefined, config as never));
        if (signal === seen.aborter.signal) seen.adapters += 1;
        signal?.addEventListener?.('abort', abort);
      }
      if (!plan.deaf && config.timeout) {
        const late = () => settle({ error: new AxiosError('timeout', 'ECONNABORTED', config, {}) });
        stops.push(clock.happens(config.timeout, late));
      }
      const { travelMs } = plan.server;
      // A request that has left arrives, whoever still waits for what comes of it.
      clock.happens(travelMs, () => {
        sent.arrivedAt = this.#now;
        const needsToken = plan.policy.auth !== false && !seen.isBare;
        const reply = server.answer({ host: seen.group.host, token: sent.token }, this.#now, needsToken);
        sent.reply = reply;
        const back = () => stops.push(clock.happens(reply.workMs + travelMs, () => answer(reply)));
        if (this.kept === undefined) back();
        else {
          this.kept.push(back);
          this.mostKept = Math.max(this.mostKept, this.kept.length);
        }
      });
    });
  }

  /** It has left `beforeSend`. */
  #leftBefore(seen: Seen): void {
    if (seen.before !== undefined) seen.beforeMs += this.#now - seen.before.at;
    seen.before = undefined;
  }

  #listen(attachment: Attachment, client: number): void {
    attachment.on('answered', ({ call, send, status, verdict }) => {
      const seen = this.#seen(call);
      const sent = seen.sends[send - 1];
      if (sent === undefined) return;
      sent.endedAt = this.#now;
      sent.endedTurn = ++this.turn;
      sent.verdict = verdict;
      const line = this.#line(seen);
      if (seen.within === undefined) this.onWire.set(line, Number(this.onWire.get(line)) - 1);
      const isRefused = verdict === 'throttled' || (status === 503 && sent.reply?.namedMs !== undefined);
      // Where no answer came nothing was learnt; and what is sent within another send, or left before the last refusal, finds out nothing.
      const { inARow, turn } = this.refusals.get(line) ?? NO_REFUSALS;
      const isNested = seen.within !== undefined;
      if (isRefused) this.refusals.set(line, { inARow: isNested ? inARow : inARow + 1, turn: sent.endedTurn });
      else if (status !== undefined && !isNested && sent.permitted.turn > turn) this.refusals.set(line, NO_REFUSALS);
    });
    attachment.on('finished', ({ call }) => {
      this.#seen(call).finished += 1;
    });
    const turned = (to: Turned['to'], key: string, retryAt: number) => {
      const host = key === HOSTS.a ? 'a' : 'b';
      const at = this.#now;
      this.turns.push({ turn: ++this.turn, at, client, host, to, retryAt: retryAt - this.clock.begunAt });
    };
    attachment.on('circuit-opened', ({ key, retryAt }) => turned('open', key, retryAt));
    attachment.on('circuit-closed', ({ key }) => turned('closed', key, Number.NaN));
  }

  /** After each turn: who has been let go, and who was passed over. */
  #look(): void {
    const lines = new Map<string, Standing>();
    const sizes = new Map<string, number>();
    for (const attachment of this.attachments) {
      for (const { call, phase, since } of attachment.pending()) {
        if (phase !== 'limit') continue;
        const seen = this.#seen(call);
        const ms = this.clock.now() - since;
        if (ms > this.longestStand.ms) this.longestStand = { ms, who: seen.name };
        if (seen.within !== undefined) continue;
        lines.set(seen.name, { seen, since });
        const line = this.#line(seen);
        sizes.set(line, (sizes.get(line) ?? 0) + 1);
      }
      const { retry } = this.plan.policy;
      const capacity = retry !== false && typeof retry.budget === 'number' ? retry.budget : 2_100;
      for (const [key, balance] of Object.entries(attachment.stats().budget)) {
        if (balance < 0 || balance > capacity) this.wrongBalances.push(`${key}: ${balance}`);
      }
    }
    this.longestLine = Math.max(this.longestLine, ...sizes.values());
    for (const [name, { seen, since }] of this.lines) {
      const still = lines.get(name);
      if (still?.since === since || seen.result !== undefined || seen.abortedAt !== undefined) continue;
      const passedOver = [...this.lines.values()].flatMap((other) => {
        const there = lines.get(other.seen.name);
        const hasStayed = there !== undefined && there.since === other.since;
        return hasStayed && this.#line(other.seen) === this.#line(seen) ? [other.seen] : [];
      });
      this.granted.push({
        at: this.#now,
        who: seen,
        passedOver,
        refusals: (this.refusals.get(this.#line(seen)) ?? NO_REFUSALS).inARow,
      });
    }
    this.lines = lines;
  }

  #end(): void {
    const { ending } = this.plan;
    const attachment = this.attachments[0] as Attachment;
    const closing: NonNullable<Played['closing']> = {
      at: this.#now,
      turn: ++this.turn,
      settledAt: undefined,
      stillWaiting: 0,
    };
    this.closing = closing;
    this.isOff[0] = true;
    const settled = () => {
      closing.settledAt = this.#now;
    };
    if (ending?.how === 'detach') {
      attachment.detach();
      settled();
      return;
    }
    const drain = ending?.how === 'drain';
    attachment.close({ drain, ...(ending?.timeoutMs !== undefined && { timeoutMs: ending.timeoutMs }) }).then(() => {
      settled();
    });
    if (drain) return;
    // When this turn is over.
    this.clock.happens(0, () => {
      closing.stillWaiting = attachment
        .pending()
        .filter(({ phase }) => phase === 'limit' || phase === 'refresh').length;
    });
  }

  /** Long afterwards all slots are free: some calls one after the other, and then as many at once as may be and two more. */
  async #afterwards(): Promise<Played['afterwards']> {
    const { clock, plan, server } = this;
    const { limit } = plan.policy;
    const client = this.isOff[0] === true ? 1 : 0;
    if (this.instances[client] === undefined) return undefined;
    const max = limit === false ? undefined : limit.maxConcurrent;
    await this.#pass(LONG_MS);
    server.isWell = true;
    const group = { ...AFTERWARDS, client } as const;
    const patient = {
      deadlineMs: Number.POSITIVE_INFINITY,
      ...(limit !== false && { limit: { maxWaitMs: Number.POSITIVE_INFINITY } }),
    };
    const failed: string[] = [];
    for (let n = 0; n < (max ?? 1); n++) {
      this.#call(`later-${n}`, group, undefined, { holdfast: patient, timeout: 0 });
      const seen = this.calls.at(-1) as Seen;
      await clock.run(() => seen.result !== undefined);
      await this.#pass(APART_MS);
      if (seen.result === undefined) failed.push(`${seen.name} has not ended`);
      else if ('error' in seen.result) failed.push(`${seen.name}: ${String(seen.result.error)}`);
    }
    if (max === undefined || failed.length > 0) return { failed, atOnce: 0, wanted: 0 };
    this.kept = [];
    for (let n = 0; n < max + 2; n++) {
      // So far apart that no window keeps them from one another.
      clock.happens(n * APART_MS, () => this.#call(`last-${n}`, group, undefined, { holdfast: patient, timeout: 0 }));
    }
    await clock.run(() => false);
    return { failed, atOnce: this.mostKept, wanted: max };
  }

  #limitOptions(): LimitOptions {
    const { limit } = this.plan.policy;
    if (limit === false) return {};
    const { windows, maxConcurrent, maxQueue, maxWaitMs, adaptive } = limit;
    const priority = (config: InternalAxiosRequestConfig) => this.#seen(config).group.priority;
    return { windows, maxConcurrent, maxQueue, maxWaitMs, adaptive, priority };
  }

  #policy(client: 0 | 1): Policy {
    const { clock, plan, server } = this;
    const { retry, limit, breaker, auth, idempotency, deadlineMs, beforeMs } = plan.policy;
    const nests = plan.groups.some(({ nested }) => nested === 'beforeSend');
    return {
      ...(deadlineMs !== undefined && { deadlineMs }),
      ...(limit !== false && { limit: this.shared ?? this.#limitOptions() }),
      ...(idempotency !== false && { idempotency: { renew: idempotency } }),
      breaker,
      retry: retry !== false && {
        maxRetries: retry.maxRetries,
        unsafe: retry.unsafe,
        retryAfter: { maxMs: retry.maxMs, whenLonger: retry.whenLonger, jitterMs: retry.jitterMs },
        budget:
          retry.budget === 'default' ? {} : retry.budget !== false && { capacity: retry.budget, refillPerSecond: 0 },
        ...(retry.backoffMs !== 'default' && { backoff: () => Number(retry.backoffMs) }),
      },
      ...((beforeMs !== undefined || nests) && {
        beforeSend: async ({ config }: { config: InternalAxiosRequestConfig }) => {
          const seen = this.#seen(config);
          this.preparing += 1;
          seen.before = { at: this.#now, turn: ++this.turn };
          if (beforeMs !== undefined) await new Promise<void>((resolve) => clock.happens(beforeMs, resolve));
          if (seen.group.nested === 'beforeSend' && seen.within === undefined) {
            await this.#call(`${seen.name}-in${seen.sends.length}`, seen.group, seen);
          }
          this.preparing -= 1;
        },
      }),
      auth: auth !== false && {
        origins: Object.values(HOSTS),
        token: () => ({
          value: `first-${client}`,
          ...(auth.lifeMs !== undefined && { expiresAt: clock.begunAt + auth.lifeMs }),
        }),
        // p-retry waits by the clock of the machine.
        retry: { retries: 0 },
        refresh: async ({ token: { value } }) => {
          const n = this.refreshes.filter((each) => each.client === client).length;
          const atOnce =
            this.refreshes.filter((each) => each.client === client && each.endedAt === undefined).length + 1;
          const refresh: Refresh = { client, of: value, at: this.#now, endedAt: undefined, succeeded: false, atOnce };
          this.refreshes.push(refresh);
          await new Promise<void>((resolve) => clock.happens(auth.refreshMs, resolve));
          refresh.endedAt = this.#now;
          if (!server.isWell && auth.refreshes[n % auth.refreshes.length] === 'fails') {
            throw Object.assign(new Error('refused'), { status: 400 });
          }
          refresh.succeeded = true;
          const token = `token-${client}-${++this.tokens}`;
          server.issue(token, auth.lifeMs === undefined ? Number.POSITIVE_INFINITY : this.#now + auth.lifeMs);
          return { value: token, ...(auth.lifeMs !== undefined && { expiresAt: clock.now() + auth.lifeMs }) };
        },
      },
    };
  }
}

export function errorIn(result: Seen['result'] | Sent['outcome']): unknown {
  return result !== undefined && 'error' in result ? result.error : undefined;
}

/** A small generator of numbers in [0, 1), so that a run can be repeated. */
function seeded(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
