import { KeyedCache } from '../call/keyed-cache.ts';
import { bringing, broughtBy } from '../room.ts';
import { Circuit } from './circuit.ts';
import type { Breaker, BreakerOptions, ResolvedBreaker } from './options.ts';

/** Marks each; registered, so that a second copy of this package knows it too. */
const BREAKER = Symbol.for('axios-holdfast.breaker');

/** Circuits, one per key, and who goes through which. */
export class Circuits implements Breaker {
  readonly [BREAKER] = true;
  readonly options: ResolvedBreaker;
  readonly #byKey: KeyedCache<Circuit>;

  constructor(options: ResolvedBreaker, byKey = new KeyedCache((key: string) => new Circuit(key, options))) {
    this.options = options;
    this.#byKey = byKey;
  }

  circuit(key: string): Circuit {
    return this.#byKey.of(key);
  }

  open(): readonly string[] {
    return this.#byKey.all().flatMap(({ key, isOpen }) => (isOpen ? [key] : []));
  }

  /** The same circuits, under somebody's own `key` or `isFailure`. */
  adjusted({ key = this.options.key, isFailure = this.options.isFailure }: BreakerOptions): Circuits {
    const adjusted = new Circuits({ ...this.options, key, isFailure }, this.#byKey);
    return bringing(adjusted, broughtBy(this, 'breaker'));
  }
}

/** Whether it was made by `circuitBreaker()`, and is not the options of one. */
export const isBreaker = (breaker: unknown): breaker is Circuits =>
  typeof breaker === 'object' && breaker !== null && BREAKER in breaker;
