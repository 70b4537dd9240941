import { Limiters, type LimitersPorts } from './limiters.ts';
import { numbersFor } from './numbers-for.ts';
import { LIMIT, type ResolvedLimits } from './options.ts';

/** All that a policy's `limit` needs: its options, and what an attachment makes of them. */
export const LIMIT_ROOM = {
  name: 'limit',
  options: LIMIT,
  open: (lent: LimitersPorts, attached: { readonly limit: false | ResolvedLimits }): Limiters =>
    new Limiters(attached.limit, lent),
  numbersFor,
} as const;
