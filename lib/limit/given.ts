import { type Check, kindOf } from '../check.ts';
import type { Limiter } from './limiter.ts';
import { isLimiter } from './limiters.ts';
import { checkLimit } from './options.ts';

const checkOptions = checkLimit(
  {},
  {
    on: 'it needs numbers, { requests, perMs } or { maxConcurrent }; { adaptive: true } learns them',
    number: 'to bound retries it is retry.maxRetries; to bound sends { maxConcurrent }, or { requests, perMs }',
  },
);

/** What the port asks of a limiter. A semaphore has `acquire` as well, and permits that nobody could give back. */
const PORT = ['acquire', 'pause', 'close', 'stats'] as const satisfies readonly (keyof Limiter)[];

export const checkLimitOrLimiter: Check = (value, path, problems) => {
  if (!isLimiter(value)) return checkOptions(value, path, problems);
  const missing = PORT.filter((name) => typeof value[name] !== 'function');
  if (missing.length === 0) return;
  const bound = `a Limiter, with ${PORT.join(', ')}`;
  problems.push({
    path,
    bound,
    value,
    message: `${path} must be ${bound}; ${kindOf(value)} lacks ${missing.join(', ')}`,
  });
};
