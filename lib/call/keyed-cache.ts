/** Most keys that are kept: nobody must be able to make us hold millions. */
const MAX_KEYS = 10_000;

/**
 * One value for each key, made when it is first asked for. At most 10,000 are kept. A key that is among the last 5,000 asked for is
 * never forgotten.
 *
 * There are two generations. A value that is asked for becomes young. Once 5,000 are young, the old ones are forgotten and the young
 * ones become the old. (One map, with each used key deleted and set again, would keep the order too, but such a map gets slow.)
 */
export class KeyedCache<Value extends object> {
  readonly #make: (key: string) => Value;
  readonly #isHeld: (value: Value) => boolean;
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();

  /** @param isHeld whether forgetting the value would lose something; held values are kept beyond 10,000 too */
  constructor(make: (key: string) => Value, isHeld: (value: Value) => boolean = () => false) {
    this.#make = make;
    this.#isHeld = isHeld;
  }

  of(key: string): Value {
    return this.#young.get(key) ?? this.keep(key, this.#old.get(key) ?? this.#make(key));
  }

  /** Makes `value` the one of that key, as if it had just been asked for. */
  keep(key: string, value: Value): Value {
    if (this.#young.size >= MAX_KEYS / 2) this.#age();
    this.#young.set(key, value);
    return value;
  }

  all(): readonly Value[] {
    return [...new Map([...this.#old, ...this.#young]).values()];
  }

  #age(): void {
    const forgotten = this.#old;
    this.#old = this.#young;
    this.#young = new Map();
    for (const [key, value] of forgotten) if (this.#isHeld(value) && !this.#old.has(key)) this.#old.set(key, value);
  }
}
