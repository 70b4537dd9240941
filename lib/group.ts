import { type Advice, bare, type Check, functionsOr, isRecord, object, orFalse } from './check.ts';
import type { PolicyProblem } from './failure/errors.ts';

/** What may stand under a name. Of a mere check, a later policy's value takes the place of an earlier one's. */
export type Option = Check | Several | Group;

/**
 * A function, or several; a list once it is merged. Those of two policies add up, each once: the attached policy may be laid over itself.
 */
export interface Several {
  readonly check: Check;
  /** Whether those of the later policy go before those of the earlier one. Default `false`. */
  readonly laterFirst?: boolean;
}

export const SEVERAL: Several = { check: functionsOr() };

/** Options that have been filled in, `Without` those that have no default. */
export type Filled<T, Without extends keyof T = never> = {
  readonly [K in Exclude<keyof T, Without>]-?: Exclude<T[K], undefined>;
} & Pick<T, Without>;

/** What a room says of its group. */
interface Parts<Options, Defaults> {
  /** Each option, with its default. A group brings its own. */
  readonly fields: { readonly [K in keyof Options]-?: K extends keyof Defaults ? Field<Defaults[K]> : Option };
  /** Whether a policy that says nothing of it has it `'off'` (default) or `'on'`; or whether no policy can turn it off. */
  readonly starts?: 'off' | 'on' | 'always-on';
  readonly advice?: Advice;
  /** In place of the check of each field by its own. */
  readonly check?: Check;
  /** Checks what no field can be checked for alone; given what the options have themselves. */
  also?(options: Record<string, unknown>, path: string, problems: PolicyProblem[]): void;
  readonly value?: Value<Options>;
  /** Makes merged options whole where the defaults are not all that is missing. */
  complete?(options: Options): Options;
  readonly ofCall?: OfCall;
}

type Field<Default> = Group | (undefined extends Default ? Option : readonly [Option, Default]);

/** What may stand in the place of the options and is used as it is: a limiter, credentials. */
interface Value<Options> {
  is(value: unknown): boolean;
  readonly check?: Check;
  /** Lays options over one; `undefined` where they take its place, as they do by default. */
  adjust?(value: unknown, options: Options): unknown;
  /** What a policy keeps of one. Default: that very value. */
  copy?(value: unknown, fills: boolean): unknown;
}

/** Of a thing that all calls of an attachment share: what a call may have of its own. */
export interface OfCall {
  readonly options: readonly string[];
  /** What to do where a call needs more than that. Default: give it to `attach`. */
  readonly instead?: string;
}

/**
 * A group of options: which there are, what may stand there, and what they start from. Each room has one. Whatever is done with a whole
 * policy (check, merge, fill in, freeze) is done here, and knows no room by name.
 */
export class Group<
  Options extends object = object,
  Defaults extends object = object,
  Resolved = Defaults,
  Given = Options,
> {
  /** For the types of a policy; it is never there. */
  declare readonly types: { readonly given: Given; readonly resolved: Resolved };
  /** Without a prototype: it is asked for names that a policy has. */
  readonly fields: { readonly [name: string]: Option };
  readonly checks: { readonly [K in keyof Options]-?: Check };
  readonly check: Check;
  /** What the options start from where a policy turns the group on. */
  readonly defaults: Defaults;
  /** What stands there where no policy says anything. */
  readonly start: Defaults | false;
  readonly ofCall: OfCall | undefined;
  readonly #parts: Parts<Options, Defaults>;

  constructor(parts: Parts<Options, Defaults>) {
    const { starts = 'off', advice, ofCall } = parts;
    const fields: Record<string, Option> = Object.create(null);
    const checks: Record<string, Check> = {};
    const defaults: Record<string, unknown> = {};
    for (const [name, field] of Object.entries<Option | readonly [Option, unknown]>(parts.fields)) {
      const [option, start] = isPair(field) ? field : [field, field instanceof Group ? field.start : undefined];
      fields[name] = option;
      checks[name] = typeof option === 'function' ? option : option.check;
      if (start !== undefined) defaults[name] = start;
    }
    this.fields = fields;
    this.checks = checks as typeof this.checks;
    this.defaults = defaults as Defaults;
    this.start = starts === 'off' ? false : this.defaults;
    const check = whole(parts, parts.check ?? object(checks, advice));
    this.check = starts === 'always-on' ? check : orFalse(check);
    this.ofCall = ofCall;
    this.#parts = parts;
  }

  /** Whether these are options: not `false`, nor a value that is used as it is. */
  isOptions(value: unknown): value is Record<string, unknown> {
    return isRecord(value) && !this.#parts.value?.is(value);
  }

  /** What an earlier and a later policy mean together. Shares no group and no list with the later one. */
  merge(earlier: unknown, later: unknown): Given {
    return this.#merge(earlier, later, false) as Given;
  }

  /** What a policy means that is laid over a resolved one. What it turns on starts from the defaults. */
  resolve(base: unknown, policy: unknown): Resolved {
    return this.#merge(base, policy, true) as Resolved;
  }

  /**
   * Freezes options all the way down, and takes their prototypes away: what a policy leaves out is asked for at every call, and a
   * prototype that somebody else has polluted must not speak for it. Groups and lists only: a limiter that is written as a plain object
   * holds state of its own.
   */
  freeze<T extends object>(options: T): T {
    // Most of a call's policy is of the attached one.
    if (Object.isFrozen(options) && Object.getPrototypeOf(options) === null) return options;
    for (const [name, value] of Object.entries(options)) {
      const option = this.fields[name];
      if (option instanceof Group && option.isOptions(value)) option.freeze(value);
      else if (Array.isArray(value)) Object.freeze(value);
    }
    // Reflect: what others hold too, as our own defaults, may be frozen by now.
    Reflect.setPrototypeOf(options, null);
    return Object.freeze(options);
  }

  #merge(earlier: unknown, later: unknown, fills: boolean): unknown {
    const { value: asItIs, complete } = this.#parts;
    if (!this.isOptions(later)) return asItIs?.is(later) && asItIs.copy ? asItIs.copy(later, fills) : later;
    const adjusted = asItIs?.is(earlier) ? asItIs.adjust?.(earlier, later as Options) : undefined;
    if (adjusted !== undefined) return adjusted;
    const ground = this.isOptions(earlier) ? earlier : fills ? this.defaults : {};
    const merged: Record<string, unknown> = { ...ground };
    for (const [name, value] of Object.entries(later)) {
      if (value === undefined) continue;
      const option = this.fields[name];
      const old = Object.hasOwn(merged, name) ? merged[name] : undefined;
      if (option instanceof Group) merged[name] = option.#merge(old, value, fills);
      else if (typeof option === 'object')
        merged[name] = option.laterFirst ? together(value, old) : together(old, value);
      else merged[name] = Array.isArray(value) ? [...value] : value;
    }
    return fills && complete ? complete(bare(merged) as Options) : merged;
  }
}

const isPair = (field: Option | readonly [Option, unknown]): field is readonly [Option, unknown] =>
  Array.isArray(field);

function whole({ value: asItIs, also }: Pick<Parts<object, object>, 'value' | 'also'>, check: Check): Check {
  return (value, path, problems) => {
    if (asItIs?.is(value)) return asItIs.check?.(value, path, problems);
    check(value, path, problems);
    if (isRecord(value)) also?.(bare(value), path, problems);
  };
}

function together(first: unknown, second: unknown): readonly unknown[] {
  return [...new Set([...several(first), ...several(second)])];
}

/** An option that takes one or several, as several. */
export function several<T>(option: T | readonly T[] | undefined): readonly T[] {
  if (option === undefined) return [];
  return Array.isArray(option) ? option : [option as T];
}

/** Whether resolved options have the same numbers. The functions that stand beside them are asked at each call. */
export function hasSameNumbers(before: object | false, after: object): boolean {
  return JSON.stringify(before) === JSON.stringify(after);
}
