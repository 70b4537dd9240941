/** How many are remembered; nobody must be able to make us hold millions. */
const MANY = 10_000;

/**
 * One thing for each key, made when it is first asked for. Ten thousand are remembered at most, and what was asked for among the last
 * five thousand keys certainly.
 *
 * In two generations: what is asked for becomes young, and when the young are half of all, the old are forgotten and the young are old.
 * To delete and set again in one map at every use would do for the order, but a map gets slow by that.
 */
export class KeyedCache<Thing extends object> {
  readonly #make: (key: string) => Thing;
  readonly #isHeld: (thing: Thing) => boolean;
  #young = new Map<string, Thing>();
  #old = new Map<string, Thing>();

  /** @param isHeld whether something would be lost by forgetting it; what is held stays, however many they are */
  constructor(make: (key: string) => Thing, isHeld: (thing: Thing) => boolean = () => false) {
    this.#make = make;
    this.#isHeld = isHeld;
  }

  of(key: string): Thing {
    return this.#young.get(key) ?? this.keep(key, this.#old.get(key) ?? this.#make(key));
  }

  /** Remembers it (again) as the one of that key. */
  keep(key: string, thing: Thing): Thing {
    if (this.#young.size >= MANY / 2) this.#age();
    this.#young.set(key, thing);
    return thing;
  }

  all(): readonly Thing[] {
    return [...new Map([...this.#old, ...this.#young]).values()];
  }

  #age(): void {
    const forgotten = this.#old;
    this.#old = this.#young;
    this.#young = new Map();
    for (const [key, thing] of forgotten) if (this.#isHeld(thing) && !this.#old.has(key)) this.#old.set(key, thing);
  }
}
