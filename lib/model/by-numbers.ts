/** What calls share that are given the same numbers: one thing for each set of options, made when it is first asked for. */
export class ByNumbers<Options extends object, Thing> {
  readonly #make: (options: Options) => Thing;
  readonly #byNumbers = new Map<string, Thing>();
  /** Nearly every call comes with the attached policy's own. */
  #last: { readonly options: Options; readonly thing: Thing } | undefined;

  constructor(make: (options: Options) => Thing) {
    this.#make = make;
  }

  of(options: Options): Thing {
    if (this.#last?.options === options) return this.#last.thing;
    const numbers = JSON.stringify(options);
    const thing = this.#byNumbers.get(numbers) ?? this.#make(options);
    this.#byNumbers.set(numbers, thing);
    this.#last = { options, thing };
    return thing;
  }

  all(): readonly Thing[] {
    return [...this.#byNumbers.values()];
  }
}
