import type { Limiter } from 'axios-holdfast';
import { onTestFinished } from 'vitest';
import { Layers } from '../../lib/limit/layers.ts';
import { type Clock, systemClock } from '../../lib/time/clock.ts';

/** Several limits as one, whose key is the list of theirs. It is closed when the test ends. */
export function layersOf(limiters: readonly Limiter[], clock: Clock = systemClock): Layers {
  const layers = limiters.map((limiter) => ({ limiter, key: limiter.key, priority: undefined, maxWaitMs: undefined }));
  const made = new Layers(layers, clock);
  onTestFinished(() => made.close());
  return made;
}
