import type { ToldQuota } from '../limit/quota/reader.ts';

/** How much of a bucket is told as if it were all, once it runs low, in ms of its refilling. */
const SHARE_MS = 5_000;

/**
 * What to tell a limiter of a bucket that refills evenly, and says when it is full again. As it stands, an empty one would be waited for until
 * it is full: a minute without a call, and then all at once. So it is told as one of which what refills in 5 s comes back each 5 s: of 300
 * a minute all 300 may leave, and then 25 each 5 s.
 *
 * @param resetMs until it is full
 */
export function refilling(limit: number, left: number, resetMs: number): ToldQuota | undefined {
  const perMs = (limit - left) / resetMs;
  if (!(perMs > 0) || !Number.isFinite(perMs)) return undefined;
  const share = Math.min(limit, Math.max(1, Math.floor(perMs * SHARE_MS)));
  const untilMs = left >= share ? SHARE_MS : Math.ceil((share - left) / perMs);
  return { limit: share, remaining: Math.max(0, left), resetMs: untilMs };
}
