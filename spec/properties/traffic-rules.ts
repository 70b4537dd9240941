import { isAxiosError, isCancel } from 'axios';
import { codeOf } from '../../lib/failure/code.ts';
import { failureOf } from '../../lib/failure/failure.ts';
import { mostIn, type Reply } from './model-server.ts';
import { inWords, type Window } from './traffic-plan.ts';
import { errorIn, type Played, type Seen, type Sent } from './traffic-run.ts';

/** Says what is wrong; gives how many cases it looked at. */
export type Rule = (played: Played, wrong: (what: string) => void) => number;

/** What is shown is whole ms, and timers take whole ones. */
const SHOWN = 2;
/** The clock holds fractions of a ms in a double that counts from 1970. */
const ROUNDING = 0.05;

/** Those that the library had in hand. */
const ours = ({ calls }: Played): readonly Seen[] => calls.filter(({ isBare }) => !isBare);
const at = (send: Sent): string => `send ${send.n + 1} at ${Math.round(send.at)} ms`;
const by = <T>(all: readonly T[], keyOf: (each: T) => string): readonly T[][] => {
  const groups = new Map<string, T[]>();
  for (const each of all) groups.set(keyOf(each), [...(groups.get(keyOf(each)) ?? []), each]);
  return [...groups.values()];
};

/** Sends, with whose they are, in the order in which they left. */
const sendsOf = (calls: readonly Seen[]) =>
  calls.flatMap((seen) => seen.sends.map((send) => ({ seen, send }))).sort((a, b) => a.send.turn - b.send.turn);

/** Of each line in front of a host: all that left through it. */
const lines = (played: Played) => {
  const { limit } = played.plan.policy;
  const isShared = limit !== false && limit.shared;
  return by(sendsOf(ours(played)), ({ seen }) => `${isShared ? '' : seen.client} ${seen.group.host}`);
};

/** The wait that a reply asked for, where the call heard of it. */
const namedTo = (send: Sent): number | undefined => (isHeard(send) ? send.reply?.namedMs : undefined);

/** Whether that send was told of a window before. */
const toldWindowBefore = (send: Sent, { toldWindow }: Reply): boolean =>
  isHeard(send) && Number(send.reply?.toldWindow) < Number(toldWindow);

/** When the window ends, as that send was told. */
const resetOf = ({ endedAt, reply }: Sent): number =>
  Number(endedAt) + Number(reply?.headers['RateLimit-Reset']) * 1_000;

/** Whether an answer came, and nobody had given the send up. */
const isHeard = ({ outcome, verdict }: Sent): boolean => {
  const error = errorIn(outcome);
  const isAnswer =
    outcome !== undefined && ('response' in outcome || (isAxiosError(error) && error.response !== undefined));
  return isAnswer && verdict !== undefined && verdict !== 'cancelled';
};

/** It had its permit, and then waited for a token; so it left later than the limiter thinks. */
const isLateForItsToken = ({ report }: Seen, { n }: Sent): boolean => {
  const { queuedMs = 0, refreshMs = 0 } = report?.sends[n] ?? {};
  return queuedMs > 0 && refreshMs > 0;
};

export const RULES: { readonly [name: string]: Rule } = {
  'every call ends': ({ ran, calls }, wrong) => {
    if (ran !== 'done') wrong(`the clock: ${ran}`);
    for (const { name, result } of calls) if (result === undefined) wrong(`${name} has not ended`);
    return calls.length;
  },

  'a deadline bounds a call': (played, wrong) => {
    const { lateMs, policy } = played.plan;
    const { deadlineMs } = policy;
    if (deadlineMs === undefined) return 0;
    for (const { name, begunAt, endedAt = Number.NaN } of ours(played)) {
      const tookMs = endedAt - begunAt;
      if (!(tookMs <= deadlineMs + lateMs + SHOWN)) wrong(`${name} took ${tookMs} ms`);
    }
    for (const { seen, send } of sendsOf(ours(played))) {
      if (send.at >= seen.begunAt + deadlineMs) wrong(`${seen.name}, ${at(send)}, after its deadline`);
    }
    return ours(played).length;
  },

  'an abort ends a call at once, and nothing is sent after it': (played, wrong) => {
    const aborted = ours(played).filter(({ abortedAt }) => abortedAt !== undefined);
    for (const { name, abortedAt, endedAt, result, sends } of aborted) {
      if (endedAt !== abortedAt) wrong(`${name} was given up at ${abortedAt}, and ended at ${endedAt}`);
      if (!isCancel(errorIn(result))) wrong(`${name} ended with ${String(errorIn(result))}`);
      for (const send of sends) if (send.isVain) wrong(`${name}, ${at(send)}, given up at ${abortedAt}`);
    }
    return aborted.length;
  },

  'an order is not placed twice': (played, wrong) => {
    const { retry } = played.plan.policy;
    if (retry !== false && retry.unsafe === 'always') return 0;
    const orders = ours(played).filter(({ group, within }) => group.method === 'post' && within === undefined);
    for (const { name, sends } of orders) {
      const done = sends.filter(({ reply }) => reply?.applied);
      // The server knows a key when it sees it again.
      const placed = new Set(done.map(({ key, n }) => key ?? n)).size;
      if (placed > 1) wrong(`${name} was done by ${done.map(at).join(' and ')}`);
    }
    return orders.length;
  },

  'a call ends with what the server said last, or with an error of ours': (played, wrong) => {
    for (const { name, result, sends, abortedAt } of ours(played)) {
      const last = sends.findLast(({ outcome }) => outcome !== undefined)?.outcome;
      if (result === undefined || abortedAt !== undefined) continue;
      if ('value' in result) {
        const isLast = last !== undefined && 'response' in last && last.response === result.value;
        if (!isLast) wrong(`${name} resolved with what was not the last answer`);
        continue;
      }
      const { error } = result;
      if (error === errorIn(last)) continue;
      const code = String(codeOf(error));
      const isAnswered = last !== undefined && failureOf(error)?.endedBecause !== 'refresh-failed';
      const documented = isAnswered ? /^ETIMEDOUT$/ : /^(ETIMEDOUT|ERR_CIRCUIT_OPEN|ERR_TOKEN_REFRESH|ERR_LIMIT_\w+)$/;
      if (!documented.test(code)) wrong(`${name} rejected with ${code}: ${String(error)}`);
    }
    return ours(played).length;
  },

  'nothing of a call is sent before the time that was named to it': (played, wrong) => {
    const { retry } = played.plan.policy;
    let looked = 0;
    for (const { name, sends } of ours(played)) {
      sends.slice(1).forEach((next, n) => {
        const send = sends[n] as Sent;
        const named = namedTo(send);
        if (named === undefined || retry === false || send.endedAt === undefined) return;
        looked += 1;
        const ms = retry.whenLonger === 'clamp' ? Math.min(named, retry.maxMs) : named;
        if (next.at < send.endedAt + ms - ROUNDING)
          wrong(`${name}, ${at(next)}, was to wait until ${send.endedAt + ms}`);
      });
    }
    return looked;
  },

  'nothing leaves while its bucket is paused': (played, wrong) => {
    const { limit, retry } = played.plan.policy;
    if (limit === false) return 0;
    // Who waits for no longer pause may send one request to see, so long after the last.
    const probeMs = Math.max(1_000, retry === false ? 60_000 : retry.maxMs);
    let looked = 0;
    for (const line of lines(played)) {
      const pauses = line.flatMap(({ send }) => {
        const named = namedTo(send);
        if (named === undefined || send.endedAt === undefined || send.endedTurn === undefined) return [];
        return [{ turn: send.endedTurn, from: send.endedAt, until: send.endedAt + named }];
      });
      let probe: { readonly seen: Seen; readonly send: Sent } | undefined;
      for (const { seen, send } of line.toSorted((a, b) => a.send.permitted.turn - b.send.permitted.turn)) {
        const { permitted } = send;
        // What a probe calls for within itself belongs to it.
        if (probe !== undefined && seen.within === probe.seen) continue;
        // What it was told is the server's last word: what was named before it left holds no more.
        const isOver = probe !== undefined && Number(probe.send.endedTurn) < permitted.turn;
        const voidUntil = isOver ? Number(probe?.send.permitted.turn) : 0;
        const [longest] = pauses
          .filter(({ turn, until }) => turn > voidUntil && turn < permitted.turn && until > permitted.at + ROUNDING)
          .sort((a, b) => b.until - a.until);
        if (longest === undefined) continue;
        // A pause that may be cut short keeps back nobody who needs no room; and what is learnt of the quota may have begun it before.
        const mayBeCut = longest.until - longest.from > probeMs;
        if (mayBeCut && (seen.within !== undefined || limit.adaptive !== false)) continue;
        looked += 1;
        const since = Math.max(probe?.send.permitted.at ?? longest.from, longest.from);
        const isProbe = longest.until - since > probeMs && permitted.at >= since + probeMs - ROUNDING;
        if (!isProbe) wrong(`${seen.name}, ${at(send)}, in a pause until ${longest.until}`);
        probe = { seen, send };
      }
      looked += pauses.length;
    }
    return looked;
  },

  'a quota that was told is kept': (played, wrong) => {
    const { limit } = played.plan.policy;
    if (limit === false) return 0;
    // What a call does within a send comes between the permit and the wire.
    const isNested = played.plan.groups.some(({ nested }) => nested !== undefined);
    let looked = 0;
    for (const line of lines(played)) {
      const times = line
        .filter(({ seen, send }) => !isLateForItsToken(seen, send))
        .flatMap(({ send }) => (isNested ? send.permitted.at : (send.arrivedAt ?? [])))
        .sort((a, b) => a - b);
      for (const window of limit.windows) {
        looked += 1;
        const full = fullest(times, window);
        if (full.count > mostIn(window))
          wrong(`${full.count} from ${full.from} on, at ${window.requests} in ${window.perMs} ms`);
      }
    }
    return looked;
  },

  'a server whose quota was told refuses nobody': (played, wrong) => {
    const { groups, policy, server } = played.plan;
    if (policy.limit === false || server.quota !== 'as told') return 0;
    if (groups.some(({ nested }) => nested !== undefined)) return 0;
    const isBare = played.calls.some(({ isBare }) => isBare);
    // What passes through goes past the limiter.
    if (isBare || sendsOf(ours(played)).some(({ seen, send }) => isLateForItsToken(seen, send))) return 0;
    for (const { seen, send } of sendsOf(ours(played))) {
      if (send.reply?.status === 429) wrong(`${seen.name}, ${at(send)}, was refused`);
    }
    return policy.limit.windows.length;
  },

  'what headers say is left is not overdrawn': (played, wrong) => {
    const { groups, policy, server } = played.plan;
    const { adaptive } = policy.limit === false ? { adaptive: false as const } : policy.limit;
    if (adaptive === false || !adaptive.headers || server.says !== 'headers') return 0;
    if (groups.some(({ nested }) => nested !== undefined) || policy.beforeMs !== undefined) return 0;
    if (played.calls.some(({ isBare }) => isBare)) return 0;
    // Who waits for no longer pause sends one request to see, also where nothing is left.
    if (policy.retry !== false && policy.retry.maxMs < 60_000) return 0;
    if (sendsOf(ours(played)).some(({ seen, send }) => isLateForItsToken(seen, send))) return 0;
    let looked = 0;
    for (const line of lines(played)) {
      for (const { seen, send } of line) {
        const { reply, turn } = send;
        if (reply?.toldWindow === undefined) continue;
        const heard = line.some(
          ({ send: other }) =>
            other.reply?.toldWindow === reply.toldWindow &&
            Number(other.endedTurn) < turn &&
            isHeard(other) &&
            // What left before the reset that was told may have been counted on either side of it.
            !line.some(({ send: before }) => toldWindowBefore(before, reply) && resetOf(before) > other.at),
        );
        // Of what ended before it was answered nobody knows whether it was counted.
        const isLost = line.some(({ send: other }) => Number(other.endedTurn) < turn && !isHeard(other));
        if (!heard || isLost) continue;
        looked += 1;
        if (reply.status === 429) wrong(`${seen.name}, ${at(send)}, was refused in a window of which it was told`);
      }
    }
    return looked;
  },

  'no more are on the wire than maxConcurrent': (played, wrong) => {
    const { limit } = played.plan.policy;
    const most = limit === false ? undefined : limit.maxConcurrent;
    if (most === undefined) return 0;
    const sends = sendsOf(ours(played)).filter(({ seen }) => seen.within === undefined);
    for (const { seen, send } of sends)
      if (send.onWire > most) wrong(`${seen.name}, ${at(send)}, is one of ${send.onWire}`);
    return sends.length;
  },

  'who waits goes by priority, and then by when the call began': (played, wrong) => {
    // Nobody can tell here by which refusals it was chosen.
    if (sendsOf(ours(played)).some(({ seen, send }) => isLateForItsToken(seen, send))) return 0;
    let looked = 0;
    for (const { at, who, passedOver, refusals } of played.granted) {
      // After two probes in a row that were refused another call is tried.
      if (refusals >= 2) continue;
      looked += passedOver.length;
      for (const other of passedOver) {
        if (rank(other, who) < 0) wrong(`at ${at} ms ${who.name} goes before ${other.name}`);
      }
    }
    return looked;
  },

  'no line is longer than maxQueue, and nobody stands in it for longer than maxWaitMs': (played, wrong) => {
    const { lateMs, policy } = played.plan;
    if (policy.limit === false) return 0;
    const { maxQueue = Number.POSITIVE_INFINITY, maxWaitMs = Number.POSITIVE_INFINITY } = policy.limit;
    if (played.longestLine > maxQueue) wrong(`${played.longestLine} stood in it`);
    const { ms, who } = played.longestStand;
    if (ms > maxWaitMs + lateMs + SHOWN) wrong(`${who} stood there for ${ms} ms`);
    return Number(maxQueue < Number.POSITIVE_INFINITY) + Number(maxWaitMs < Number.POSITIVE_INFINITY);
  },

  'retries are bounded, and a 401 is replayed once': (played, wrong) => {
    const { auth, retry } = played.plan.policy;
    const maxRetries = retry === false ? 0 : retry.maxRetries;
    for (const { name, report, sends } of ours(played)) {
      const decided = (which: string) => report?.sends.filter(({ decision }) => decision === which).length ?? 0;
      const replays = decided('refresh');
      if (replays > (auth === false ? 0 : 1)) wrong(`${name} was replayed ${replays} times`);
      if (sends.length > 1 + maxRetries + replays) wrong(`${name} was sent ${sends.length} times`);
    }
    return ours(played).length;
  },

  'what retries cost was in the budget': (played, wrong) => {
    const { limit, retry } = played.plan.policy;
    for (const balance of played.wrongBalances) wrong(`the balance of ${balance}`);
    if (retry === false || typeof retry.budget !== 'number') return 0;
    const capacity = retry.budget;
    const accounts = by(ours(played), ({ client, group }) => `${client} ${group.host}`);
    for (const calls of accounts) {
      let spent = 0;
      let back = 0;
      for (const { sends, report, result } of calls) {
        const costs = sends.slice(1).flatMap((_, n) => {
          const { verdict, decision } = report?.sends[n] ?? {};
          if (decision !== 'retry') return [];
          return verdict === 'throttled' ? (limit === false ? 5 : 0) : 14;
        });
        spent += costs.reduce<number>((sum, cost) => sum + cost, 0);
        if (result !== undefined && 'value' in result) back += costs.at(-1) ?? 1;
      }
      if (spent > capacity + back) wrong(`${spent} was spent of ${capacity}, and ${back} came back`);
    }
    return accounts.length;
  },

  'one refresh at a time, and none of a token that was replaced': ({ refreshes }, wrong) => {
    const replaced = new Set<string>();
    for (const { of, at, atOnce, endedAt, succeeded } of refreshes) {
      if (atOnce > 1) wrong(`${atOnce} at once at ${at} ms`);
      if (replaced.has(of)) wrong(`${of} again at ${at} ms`);
      if (succeeded && endedAt !== undefined) replaced.add(of);
    }
    return refreshes.length;
  },

  'an open circuit lets nothing out but one probe': (played, wrong) => {
    const { breaker, deadlineMs } = played.plan.policy;
    if (breaker === false) {
      if (played.turns.length > 0) wrong('there is no circuit, and it turned');
      return 0;
    }
    let looked = 0;
    for (const sends of by(sendsOf(ours(played)), ({ seen }) => `${seen.client} ${seen.group.host}`)) {
      const [{ seen: first }] = sends as [(typeof sends)[number]];
      const turns = played.turns.filter(({ client, host }) => client === first.client && host === first.group.host);
      for (const [n, { turn, at: openedAt, to, retryAt }] of turns.entries()) {
        const before = turns[n - 1];
        if (to === 'closed' && before?.to !== 'open') wrong(`what is closed at ${openedAt} was not open`);
        if (to === 'closed') continue;
        looked += 1;
        const next = turns[n + 1]?.turn ?? Number.POSITIVE_INFINITY;
        // What a probe calls for within itself belongs to it.
        const probes = sends.filter(
          ({ send, seen }) => send.turn > turn && send.turn < next && seen.within === undefined,
        );
        probes.forEach(({ seen, send }, i) => {
          // Where its own deadline has cut a probe off, who has more time may try before.
          const isEarly = send.at < retryAt - SHOWN && deadlineMs === undefined;
          if (i === 0 && isEarly) wrong(`${seen.name}, ${at(send)}, while it is open until ${retryAt}`);
          const last = probes[i - 1]?.send;
          const isOver = last === undefined || Number(last.endedTurn) < send.turn || send.at - last.at >= 60_000;
          if (!isOver) wrong(`${seen.name}, ${at(send)}, beside another probe`);
        });
      }
    }
    return looked;
  },

  'the books balance': (played, wrong) => {
    for (const [client, stats] of played.stats.entries()) {
      const calls = ours(played).filter((seen) => seen.client === client && !isLater(seen));
      const sends = calls.reduce((sum, each) => sum + each.sends.length, 0);
      const first = calls.filter((each) => each.sends.length > 0).length;
      const expected: { readonly [name: string]: readonly [told: number, counted: number] } = {
        calls: [stats.calls, calls.length],
        finished: [calls.reduce((sum, { finished }) => sum + finished, 0), calls.length],
        sends: [stats.sends, sends],
        'sends by kind': [first + stats.retries + stats.replays + stats.polls, sends],
        inFlight: [stats.inFlight, 0],
        queued: [stats.queued, 0],
        waiting: [stats.waiting, 0],
      };
      for (const [name, [told, counted]] of Object.entries(expected)) {
        if (told !== counted) wrong(`${name}: ${told} is told, ${counted} were counted`);
      }
      const refreshed = played.refreshes.filter((each) => each.client === client && each.succeeded).length;
      // Who has closed takes no notice of what a refresh under way still gives.
      const isLess = played.closing !== undefined && client === 0 && stats.refreshes < refreshed;
      if (stats.refreshes !== refreshed && !isLess)
        wrong(`refreshes: ${stats.refreshes} is told, ${refreshed} succeeded`);
    }
    return played.stats.length;
  },

  'nothing is left behind': (played, wrong) => {
    const { atEnd, pending, limiter, timersAfterwards } = played;
    if (played.ran !== 'done') return 0;
    if (atEnd.timers > 0 && atEnd.refreshing === 0) wrong(`${atEnd.timers} timers`);
    if (timersAfterwards > 0) wrong(`${timersAfterwards} timers when nothing more is to come`);
    if (limiter !== undefined && limiter.queued + limiter.running > 0)
      wrong(`in the limiter: ${JSON.stringify(limiter)}`);
    for (const each of pending) wrong(`pending: ${each}`);
    for (const { name, listeners } of ours(played))
      if (listeners !== 0) wrong(`${name}: ${listeners} listeners on its signal`);
    return 1;
  },

  'the times of a report add up': (played, wrong) => {
    let looked = 0;
    for (const { name, report, beforeMs, begunAt, endedAt = Number.NaN } of ours(played)) {
      if (report === undefined) continue;
      looked += 1;
      const { elapsedMs, queuedMs, refreshMs, waitedMs, sendingMs } = report;
      const told = queuedMs + refreshMs + waitedMs + sendingMs + beforeMs;
      if (Math.abs(told - elapsedMs) > 2 * SHOWN) {
        wrong(
          `${name}: ${queuedMs} queued + ${refreshMs} refreshing + ${waitedMs} waiting + ${sendingMs} sending + ${beforeMs} in beforeSend, of ${elapsedMs}`,
        );
      }
      if (Math.abs(elapsedMs - (endedAt - begunAt)) > SHOWN)
        wrong(`${name} took ${endedAt - begunAt}, and says ${elapsedMs}`);
    }
    return looked;
  },

  'who is closed refuses those in line at once, and who drains refuses nobody': (played, wrong) => {
    const { closing, plan, calls } = played;
    const { ending } = plan;
    if (closing === undefined || ending === undefined) return 0;
    if (closing.stillWaiting > 0) wrong(`${closing.stillWaiting} wait still`);
    if (ending.how === 'drain') {
      const until = closing.at + (ending.timeoutMs ?? Number.POSITIVE_INFINITY);
      if (!(Number(closing.settledAt) <= until + plan.lateMs + SHOWN))
        wrong(`it has not drained by ${closing.settledAt}`);
      for (const { name, client, result, endedAt = 0 } of calls) {
        const isClosed = codeOf(errorIn(result)) === 'ERR_LIMIT_CLOSED';
        if (client === 0 && isClosed && endedAt < until) wrong(`${name} was refused at ${endedAt}`);
      }
    }
    if (ending.how === 'detach') {
      for (const { name, result } of calls)
        if (codeOf(errorIn(result)) === 'ERR_LIMIT_CLOSED') wrong(`${name} was refused`);
    }
    for (const { name, isBare, sends, within } of calls) {
      if (isBare && within === undefined && sends.length !== 1)
        wrong(`${name} was to pass through, and was sent ${sends.length} times`);
    }
    return 1;
  },

  'long afterwards all slots are free': ({ afterwards }, wrong) => {
    if (afterwards === undefined) return 0;
    for (const each of afterwards.failed) wrong(each);
    if (afterwards.atOnce !== afterwards.wanted) wrong(`${afterwards.atOnce} at once, of ${afterwards.wanted}`);
    return 1;
  },
};

/** All that is wrong with what was played, rule by rule; each rule counts what it looked at. */
export function brokenRules(played: Played, looked: Map<string, number>): readonly string[] {
  return Object.entries(RULES).flatMap(([name, rule]) => {
    const wrong: string[] = [];
    looked.set(name, (looked.get(name) ?? 0) + rule(played, (what) => wrong.push(what)));
    return wrong.length === 0 ? [] : [`${name}:\n${wrong.map((each) => `    ${each}\n`).join('')}`];
  });
}

/** What a person wants to read of a counterexample: what is wrong, what was planned, and what happened. */
export function toldInWords(played: Played, broken: readonly string[]): string {
  const happened = sendsOf(played.calls)
    .slice(0, 60)
    .map(({ seen, send }) => {
      const { reply, endedAt, verdict } = send;
      const came = reply === undefined ? 'has not arrived' : `${reply.status ?? reply.code}${waitOf(reply.namedMs)}`;
      return `  ${at(send)} of ${seen.name}: ${came}; over at ${endedAt}, ${verdict}`;
    });
  const ends = played.calls.slice(0, 60).map(({ name, begunAt, endedAt, result, report }) => {
    const how =
      result === undefined ? 'not at all' : (report?.endedBecause ?? String(codeOf(errorIn(result)) ?? 'well'));
    return `  ${name} from ${begunAt} to ${endedAt}: ${how}`;
  });
  return ['', ...broken, inWords(played.plan), 'what was sent', ...happened, 'how it ended', ...ends].join('\n');
}

const waitOf = (namedMs: number | undefined) => (namedMs === undefined ? '' : ` (wait ${namedMs} ms)`);

const isLater = ({ name }: Seen): boolean => /^la(ter|st)-/.test(name);

/** Below 0 where the first goes first. */
const rank = (a: Seen, b: Seen): number => a.group.priority - b.group.priority || a.order - b.order;

/** Where a sliding window of that length holds most. */
function fullest(times: readonly number[], { perMs }: Window): { readonly count: number; readonly from: number } {
  let best = { count: 0, from: 0 };
  let first = 0;
  times.forEach((time, last) => {
    while (time - Number(times[first]) >= perMs - ROUNDING) first += 1;
    const count = last - first + 1;
    if (count > best.count) best = { count, from: Number(times[first]) };
  });
  return best;
}
