/** How many are remembered; nobody must be able to make us hold millions. */
const MANY = 10_000;
/** How many are looked at to find one that may be forgotten. */
const LOOKED_AT = 8;

/** One thing for each key, made when it is first asked for; of ten thousand, the one that is not asked for the longest is forgotten. */
export class ByUse<Thing> {
  readonly #make: (key: string) => Thing;
  readonly #isHeld: (thing: Thing) => boolean;
  readonly #things = new Map<string, Thing>();
  /** Nearly every call has the key of the one before it. */
  #lastKey: string | undefined;
  #last: Thing | undefined;

  /** @param isHeld whether something would be lost by forgetting it; where everything is held, more than ten thousand stay */
  constructor(make: (key: string) => Thing, isHeld: (thing: Thing) => boolean = () => false) {
    this.#make = make;
    this.#isHeld = isHeld;
  }

  of(key: string): Thing {
    if (key === this.#lastKey) return this.#last as Thing;
    const thing = this.#things.get(key) ?? this.#make(key);
    this.#things.delete(key);
    this.#things.set(key, thing);
    this.#lastKey = key;
    this.#last = thing;
    if (this.#things.size > MANY) this.#forget();
    return thing;
  }

  all(): readonly Thing[] {
    return [...this.#things.values()];
  }

  /** What is held goes to the end of the line, so that the next one need not look at it again. */
  #forget(): void {
    let looked = 0;
    for (const [key, thing] of this.#things) {
      if (key === this.#lastKey || looked++ === LOOKED_AT) return;
      this.#things.delete(key);
      if (!this.#isHeld(thing)) return;
      this.#things.set(key, thing);
    }
  }
}
