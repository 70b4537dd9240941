import { Breakers, type BreakersPorts } from './breakers.ts';
import type { Circuits } from './circuits.ts';
import { BREAKER, type ResolvedBreaker } from './options.ts';
import type { BrokenCall } from './station.ts';

/** All that a policy's `breaker` needs: its options, and what an attachment makes of them. */
export const BREAKER_ROOM = {
  name: 'breaker',
  options: BREAKER,
  open: <C extends BrokenCall>(
    lent: BreakersPorts<C>,
    attached: { readonly breaker: false | ResolvedBreaker | Circuits },
  ): Breakers<C> => new Breakers(attached.breaker, lent),
} as const;
