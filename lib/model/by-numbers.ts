/**
 * What calls share that are given the same numbers: one thing for each set of options, made when it is first asked for.
 *
 * Functions are no numbers; `numbersOf` says which of the others count.
 */
export class ByNumbers<Options extends object, Thing> {
  readonly #make: (options: Options) => Thing;
  readonly #numbersOf: (options: Options) => unknown;
  readonly #byNumbers = new Map<string, Thing>();
  /** Nearly every call comes with the attached policy's own. */
  #last: { readonly options: Options; readonly thing: Thing } | undefined;

  constructor(make: (options: Options) => Thing, numbersOf: (options: Options) => unknown = (options) => options) {
    this.#make = make;
    this.#numbersOf = numbersOf;
  }

  of(options: Options): Thing {
    if (this.#last?.options === options) return this.#last.thing;
    const numbers = JSON.stringify(this.#numbersOf(options));
    const thing = this.#byNumbers.get(numbers) ?? this.#make(options);
    this.#byNumbers.set(numbers, thing);
    this.#last = { options, thing };
    return thing;
  }

  all(): readonly Thing[] {
    return [...this.#byNumbers.values()];
  }
}
