import axios, { type AxiosRequestConfig, isAxiosError } from 'axios';
import { type FailureKind, failureOf, mergePolicies, type Policy, reportOf } from 'axios-holdfast';
import { expect, it, onTestFinished } from 'vitest';
import type { Family, Quota, Reply } from '../../examples/stand-in/family.ts';
import { type StandIn, startStandIn } from '../../examples/stand-in/server.ts';
import { attachWith } from '../../lib/full.ts';
import { runQuietly } from '../support/by-hand.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';

/** A fact that a vendor's documents state, as a conversation: what is answered to a call, and what comes of that. */
export interface Fact {
  /** The rule, as a title. */
  readonly fact: string;
  /** Where it is written. */
  readonly source: string;
  /** Default: a GET of `/`. */
  readonly call?: AxiosRequestConfig;
  /** The answers one after the other; then the stand-in answers by itself. */
  readonly answers: readonly [Reply, ...Reply[]];
  /** How often it is sent in all. Default: once more than there are answers, so that it ends well. */
  readonly sends?: number;
  /** The waits before each repeat, in ms; `undefined` in place of one that is our own backoff. Default: not looked at. */
  readonly waits?: readonly (number | undefined)[];
  /** What the first answer means, as a judge sees it. */
  readonly means?: string;
  /** `api.code` of the first answer. */
  readonly code?: string;
  /** Whether the first answer pauses the bucket for all. Default: not looked at. */
  readonly pauses?: boolean;
  /** How it ends, where it fails. */
  readonly kind?: FailureKind;
  /** Words in the summary of a failure. */
  readonly says?: string | RegExp;
  /** Some of the ids of a failure. */
  readonly ids?: { readonly [name: string]: string };
}

/** In place of every backoff, so that one sees whether a wait was named. */
const OUR_OWN_MS = 7;

/** A test for each fact, over real HTTP; the waits are moved by hand. */
export function conversations(family: Family, preset: () => Policy, facts: readonly Fact[]): void {
  it.each(facts.map((fact) => [fact.fact, fact.source, fact] as const))('%s (%s)', async (_fact, _source, fact) => {
    const { answers, call = {}, code, ids, kind, means, pauses, says, waits } = fact;
    const codes: (string | undefined)[] = [];
    const noted: Policy = {
      retry: { backoff: () => OUR_OWN_MS },
      classify: ({ api }) => {
        codes.push(api?.code);
        return undefined;
      },
    };
    const { server, client, holdfast, clock } = await talk(family, mergePolicies(preset(), noted));
    const kinds: string[] = [];
    const delays: (number | undefined)[] = [];
    let paused = 0;
    holdfast.on('answered', ({ verdict }) => void kinds.push(verdict));
    const waited = ({ delayMs }: { delayMs: number }) => void delays.push(delayMs === OUR_OWN_MS ? undefined : delayMs);
    holdfast.on('retry-scheduled', waited);
    holdfast.on('poll-scheduled', waited);
    holdfast.on('paused', () => {
      paused += 1;
    });
    server.script(...answers);
    const ended = await runQuietly(
      { clock, holdfast },
      client.request(call).catch((error: unknown) => error),
    );
    const failure = isAxiosError(ended) ? failureOf(ended) : undefined;

    expect(failure?.kind).toBe(kind);
    expect(reportOf(ended)?.sends).toHaveLength(fact.sends ?? answers.length + 1);
    if (means !== undefined) expect(kinds[0]).toBe(means);
    if (code !== undefined) expect(codes[0]).toBe(code);
    if (waits !== undefined) expect(delays).toEqual(waits);
    if (pauses !== undefined) expect(paused > 0).toBe(pauses);
    if (ids !== undefined) expect(failure?.ids).toMatchObject(ids);
    if (typeof says === 'string') expect(failure?.summary).toContain(says);
    else if (says !== undefined) expect(failure?.summary).toMatch(says);
  });
}

/** A client of a family's stand-in, both on one clock that is moved by hand. */
export async function talk(family: Family, policy: Policy) {
  const clock = new ManualClock();
  const server: StandIn = await startStandIn(family, { now: () => clock.wall() });
  onTestFinished(() => server.close());
  const client = axios.create({ baseURL: server.url });
  const holdfast = attachWith({ clock, random: () => 0.5 }, client, policy);
  return { server, client, holdfast, clock };
}

/** How much of a quota was used, and how often the server refused. */
interface Used {
  readonly served: number;
  readonly refused: number;
  /** The share of what the first quota that the call draws on would have let through. */
  readonly goodput: number;
}

/**
 * Has more calls wait than the quota lets through in so many ms, by the clock that is moved by hand.
 *
 * @param call of the family's; default the first
 */
export async function traffic(
  family: Family,
  policy: Policy,
  { ms, calls, call = family.calls[0] }: { ms: number; calls: number; call?: Family['calls'][number] | undefined },
): Promise<Used & { readonly possible: number }> {
  const { server, client, holdfast, clock } = await talk(family, policy);
  const endsAt = clock.now() + ms;
  const all = Promise.allSettled(Array.from({ length: calls }, () => client.request({ ...call })));
  for (;;) {
    await settle();
    const left = endsAt - clock.now();
    const next = clock.nextIn ?? left;
    if (next > 0 && holdfast.stats().inFlight > 0) continue;
    if (next >= left) break;
    await clock.advance(next);
  }
  const { served, refused } = server.counters;
  // Who waits for a retry ends when that has been waited for.
  await clock.run(Promise.all([holdfast.close(), all]));
  const possible = Math.min(calls, ...family.quotas.map((quota) => possibleOf(quota, call, ms)));
  return { served, refused, possible, goodput: served / possible };
}

/** How many such calls a quota would let through at most in so many ms. */
function possibleOf(
  { kind, requests, perMs, key, cost }: Quota,
  call: Family['calls'][number] | undefined,
  ms: number,
) {
  const { method = 'get', url = '/', data } = call ?? {};
  const asked = {
    method: method.toUpperCase(),
    url,
    headers: {},
    body: data === undefined ? '' : JSON.stringify(data),
  };
  if (key?.(asked) === false) return Number.POSITIVE_INFINITY;
  const all = kind === 'bucket' ? requests + (ms * requests) / perMs : requests * Math.ceil(ms / perMs);
  return Math.floor(all / (cost?.(asked) ?? 1));
}
