/** The API in front of one of our own quotas. */
import { within } from './options.js';
import { FixedWindow } from './quotas/fixed-window.js';
import { LeakyBucket } from './quotas/leaky-bucket.js';
import { SlidingWindow } from './quotas/sliding-window.js';
import { TokenBucket } from './quotas/token-bucket.js';

/** What every answer tells of the quota. */
const FIELDS = new Set(['x-ratelimit', 'draft8']);

const quotas = { bucket: TokenBucket, nginx: LeakyBucket, sliding: SlidingWindow, fixed: FixedWindow };

export function plainApi(options, counts) {
  let terms = options;
  const quota = new quotas[options.kind](options, performance.now());

  function judge(client) {
    const now = performance.now();
    counts.arrived(client, now);
    const waitMs = quota.take(now);
    if (waitMs === 0) {
      counts.admitted(client, now);
      return { status: 200, headers: fields(now), afterMs: within(options.latencyMs) };
    }
    // Whole seconds, as RFC 9110 has it, and rounded up: whoever waits so long is not too early.
    const seconds = Math.ceil(waitMs / 1_000);
    const named = options.headers !== 'none';
    counts.refused(client, now, named ? now + seconds * 1_000 : undefined);
    return { status: 429, headers: { ...fields(now), ...(named && { 'retry-after': seconds }) }, afterMs: 0 };
  }

  function fields(now) {
    if (!FIELDS.has(options.headers)) return {};
    const { remaining, resetMs } = quota.standing(now);
    if (options.headers === 'x-ratelimit') {
      return {
        'x-ratelimit-limit': terms.requests,
        'x-ratelimit-remaining': remaining,
        'x-ratelimit-reset': Math.ceil((Date.now() + resetMs) / 1_000),
      };
    }
    return {
      'ratelimit-policy': `"default";q=${terms.requests};w=${Math.ceil(terms.perMs / 1_000)}`,
      ratelimit: `"default";r=${remaining};t=${Math.ceil(resetMs / 1_000)}`,
    };
  }

  return {
    handle(request, response, client) {
      request.resume();
      after(within(options.travelMs), () => {
        const { status, headers, afterMs } = judge(client);
        const body = status === 200 ? { ok: true } : { error: { code: 'TooManyRequests', message: 'Over the quota.' } };
        after(afterMs + within(options.travelMs), () => {
          response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
        });
      });
    },
    /** One request of the stranger: whether it was admitted. */
    take: (now) => quota.take(now) === 0,
    change(next) {
      terms = { ...terms, ...next };
      quota.change(terms, performance.now());
    },
    close() {},
  };
}

function after(ms, then) {
  if (ms === 0) then();
  else setTimeout(then, ms);
}
