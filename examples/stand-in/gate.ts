/** What a stand-in does with a request, without sockets: counts it in the quotas of the family, and lets it in or refuses it. */
import type { Asked, Family, Quota, Reply, Standing } from './family.ts';

export interface Gate {
  readonly counters: { readonly served: number; readonly refused: number };
  answer(asked: Asked): Reply & { readonly isRefused: boolean };
  /** The next requests are answered with these, one after the other, and counted nowhere. */
  script(...replies: readonly Reply[]): void;
}

/** @param now ms */
export function gateOf(family: Family, now: () => number): Gate {
  const counters = { served: 0, refused: 0 };
  const scripted: Reply[] = [];
  const meters = family.quotas.map((quota) => meterOf(quota, now));
  return {
    counters,
    script: (...replies) => void scripted.push(...replies),
    answer(asked) {
      const next = scripted.shift();
      if (next !== undefined) return { ...next, isRefused: false };
      const standings: Record<string, Standing> = {};
      let refusal: Reply | undefined;
      for (const [n, quota] of family.quotas.entries()) {
        const counted = meters[n]?.(asked);
        if (counted === undefined) continue;
        standings[quota.name] = counted.standing;
        if (counted.isRefused) refusal ??= quota.refuse(counted.standing);
      }
      const isRefused = refusal !== undefined;
      counters[isRefused ? 'refused' : 'served'] += 1;
      const { status, headers, body } = refusal ?? family.serve(asked, standings);
      return { status, headers: { ...family.headers?.(standings), ...headers }, body, isRefused };
    },
  };
}

type Meter = (asked: Asked) => { readonly standing: Standing; readonly isRefused: boolean } | undefined;

function meterOf({ kind, requests, perMs, key, cost }: Quota, now: () => number): Meter {
  const parts = new Map<string, { left: number; at: number }>();
  return (asked) => {
    const part = key === undefined ? '' : key(asked);
    if (part === false) return undefined;
    const at = now();
    const known = parts.get(part);
    const meter = known ?? { left: requests, at };
    parts.set(part, meter);
    if (kind === 'bucket') {
      meter.left = Math.min(requests, meter.left + ((at - meter.at) * requests) / perMs);
      meter.at = at;
    } else if (at >= meter.at + perMs) {
      Object.assign(meter, { left: requests, at });
    }
    const price = cost?.(asked) ?? 1;
    const isRefused = meter.left < price;
    if (!isRefused) meter.left -= price;
    const resetMs = kind === 'bucket' ? ((requests - meter.left) * perMs) / requests : meter.at + perMs - at;
    const dueMs = kind === 'bucket' ? ((price - meter.left) * perMs) / requests : resetMs;
    const waitMs = isRefused ? dueMs : 0;
    return {
      standing: { limit: requests, left: Math.floor(meter.left), resetMs, waitMs, resetAt: at + resetMs },
      isRefused,
    };
  };
}
