/** What the results come to: sums, and the shapes that are drawn. */
import type { Result, Scenario, Send } from './scenario.ts';

export interface Summary {
  readonly client: string;
  readonly refused?: string | undefined;
  readonly answered: number;
  readonly failed: number;
  readonly throttled: number;
  readonly sendsPerCall: number;
  /** What was admitted in the time that it took, of what the quota allows in that time; `undefined` without one, or in less than two windows. */
  readonly goodput: number | undefined;
  readonly seconds: number;
  /** The first failure, in words. */
  readonly why: string | undefined;
}

export function summaryOf(result: Result, { server, calls: asked }: Scenario): Summary {
  const { calls, sends, client, refused, lastedMs } = result;
  const answered = calls.filter((call) => call?.ok).length;
  const admitted = sends.filter(({ status, isRefused }) => status < 400 && !isRefused).length;
  const windows = lastedMs / server.perMs;
  return {
    client,
    refused,
    answered,
    failed: asked - answered,
    throttled: sends.filter(({ isRefused }) => isRefused).length,
    sendsPerCall: calls.length === 0 ? 0 : sends.length / calls.length,
    goodput:
      server.family !== '' || server.quota === 'none' || windows < 2
        ? undefined
        : admitted / (windows * server.requests),
    seconds: lastedMs / 1_000,
    why: calls.find((call) => call !== undefined && !call.ok)?.why,
  };
}

/** Calls that were answered, a second, in steps of `stepMs`. */
export function answeredOverTime({ calls }: Result, endMs: number, stepMs: number): number[] {
  const steps = new Array<number>(Math.max(1, Math.ceil(endMs / stepMs))).fill(0);
  for (const call of calls) {
    const step = Math.floor((call?.toMs ?? 0) / stepMs);
    if (call?.ok && step < steps.length) steps[step] = (steps[step] ?? 0) + 1_000 / stepMs;
  }
  return steps;
}

export interface Bar {
  readonly what: 'queue' | 'wait' | 'ok' | 'refused' | 'failed' | 'unauthorized';
  readonly fromMs: number;
  readonly toMs: number;
  readonly title: string;
}

/** The life of one call, from left to right. */
export function barsOf(result: Result, call: number): Bar[] {
  const record = result.calls[call];
  if (record === undefined) return [];
  const bars: Bar[] = [];
  let at = record.fromMs;
  const gap = (what: 'queue' | 'wait', toMs: number) => {
    if (toMs - at > 1)
      bars.push({ what, fromMs: at, toMs, title: `${what === 'queue' ? 'in the queue' : 'waits'} ${ms(toMs - at)}` });
  };
  for (const send of result.sends.filter((each) => each.call === call)) {
    gap(bars.length === 0 ? 'queue' : 'wait', send.fromMs);
    bars.push({
      what: whatOf(send),
      fromMs: send.fromMs,
      toMs: send.toMs,
      title: `${send.status} after ${ms(send.toMs - send.fromMs)}`,
    });
    at = send.toMs;
  }
  gap(bars.length === 0 ? 'queue' : 'wait', record.toMs);
  return bars;
}

/** The first call that did not go straight through, with some before it; or the first of all. */
export function firstOfInterest({ calls, sends }: Result): number {
  const first = calls.findIndex((record, call) => !record?.ok || sends.filter((send) => send.call === call).length > 1);
  return first < 20 ? 0 : first - 10;
}

const ms = (n: number): string => (n < 1_000 ? `${Math.round(n)} ms` : `${(n / 1_000).toFixed(1)} s`);

function whatOf({ status, isRefused }: Send): Bar['what'] {
  if (isRefused) return 'refused';
  if (status === 401) return 'unauthorized';
  return status < 400 ? 'ok' : 'failed';
}
