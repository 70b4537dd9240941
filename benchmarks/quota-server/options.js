/** What a quota server can be told, on the command line and with `POST /reset`. */

export const kinds = ['bucket', 'nginx', 'sliding', 'fixed', 'express'];

export const defaults = {
  /** `bucket`: tokens; `nginx`: limit_req with nodelay; `sliding`, `fixed`: windows; `express`: express-rate-limit. */
  kind: 'bucket',
  /** So many requests … */
  requests: 50,
  /** … in so many ms. */
  perMs: 1_000,
  /** The size of the bucket. nginx counts the request itself beside it; windows have none: there it is without effect. */
  burst: 1,
  /** How long an admitted request is worked on: [least, most] in ms, uniform. A refused one is answered at once. */
  latencyMs: [5, 30],
  /** The way there, and the way back, of every request: [least, most] in ms, uniform. */
  travelMs: [0, 0],
  /**
   * `none`; `retry-after`: in whole seconds, rounded up, with a 429; with every answer also: `x-ratelimit`: X-RateLimit-Limit,
   * -Remaining and -Reset, an epoch in whole seconds, rounded up, as GitHub has it; `draft8`: RateLimit fields.
   */
  headers: 'retry-after',
  /** The share of the quota that a stranger asks for, at random times (Poisson). */
  stranger: 0,
  /** A request that comes so soon after a named pause was on its way already, and does not break it. In ms, beside `travelMs`. */
  inFlightMs: 25,
};

/** The options laid over `base`; throws with all that is wrong about them. */
export function readOptions(given, base = defaults) {
  const options = { ...base, ...given };
  const wrong = [
    ...Object.keys(given)
      .filter((key) => !Object.hasOwn(defaults, key))
      .map((key) => `${key} is not an option`),
    ...check(options, 'kind', kinds.includes(options.kind), `one of ${kinds.join(', ')}`),
    ...check(options, 'requests', options.requests >= 1, 'at least 1'),
    ...check(options, 'perMs', options.perMs > 0, 'above 0'),
    ...check(options, 'burst', options.burst >= (options.kind === 'nginx' ? 0 : 1), 'at least 1 (nginx: 0)'),
    ...check(options, 'latencyMs', isSpan(options.latencyMs), 'least..most'),
    ...check(options, 'travelMs', isSpan(options.travelMs), 'least..most'),
    ...check(
      options,
      'headers',
      ['none', 'retry-after', 'x-ratelimit', 'draft8'].includes(options.headers),
      'none, retry-after, x-ratelimit or draft8',
    ),
    ...check(options, 'stranger', options.stranger >= 0 && Number.isFinite(options.stranger), 'at least 0'),
    ...check(options, 'inFlightMs', options.inFlightMs >= 0, 'at least 0'),
  ];
  if (wrong.length > 0) throw new Error(wrong.join('; '));
  return options;
}

/** `5..30` or `10` → [least, most]. */
export function readSpan(text) {
  const [least, most = least] = text.split('..').map(Number);
  return [least, most];
}

/** A random number of that span, uniform. */
export function within([least, most]) {
  return least + Math.random() * (most - least);
}

function isSpan(value) {
  return Array.isArray(value) && value.length === 2 && value[0] >= 0 && value[1] >= value[0];
}

function check(options, key, holds, must) {
  return holds ? [] : [`${key} must be ${must}, got ${JSON.stringify(options[key])}`];
}
