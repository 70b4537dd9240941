import { isPlain } from '../check.ts';
import { Group } from '../group.ts';
import type { House } from './house.ts';
import type { Policy, ResolvedPolicy } from './options.ts';
import { isPrepared, type PreparedPolicy } from './prepared.ts';
import { resolve } from './resolve.ts';

/** How many plain policies are remembered. */
const MANY = 8;

/**
 * The policies of one attachment's calls: the attached one, and what calls bring of their own, laid over it.
 *
 * axios clones a plain object for each call, so a plain policy is known by what is in it: the same options in the same order, with the
 * very same values, functions and instances. The last eight are remembered, until they are swept up as garbage: a function that a call
 * brings may hold its body, and never be asked for again. A prepared one is known by itself.
 */
export class Policies {
  readonly #house: House;
  readonly #attached: ResolvedPolicy;
  readonly #prepared = new WeakMap<PreparedPolicy, ResolvedPolicy>();
  /** The one that was asked for last comes first. */
  readonly #plain: WeakRef<ResolvedPolicy>[] = [];
  /** How those were written. */
  readonly #written = new WeakMap<ResolvedPolicy, object>();

  constructor(house: House, attached: ResolvedPolicy) {
    this.#house = house;
    this.#attached = attached;
  }

  /**
   * @param policy the call's own
   * @throws {InvalidPolicyError} each time anew: only what is right is remembered
   */
  of(policy: Policy | PreparedPolicy | undefined): ResolvedPolicy {
    if (policy === undefined) return this.#attached;
    return isPrepared(policy) ? this.#ofPrepared(policy) : this.#ofPlain(policy);
  }

  #ofPrepared(policy: PreparedPolicy): ResolvedPolicy {
    let resolved = this.#prepared.get(policy);
    if (resolved === undefined) {
      resolved = resolve(this.#house.with(policy), policy, this.#attached);
      this.#prepared.set(policy, resolved);
    }
    return resolved;
  }

  #ofPlain(policy: Policy): ResolvedPolicy {
    const plain = this.#plain;
    for (const [at, remembered] of plain.entries()) {
      const resolved = remembered.deref();
      if (resolved === undefined || !isAlike(this.#written.get(resolved), policy)) continue;
      if (at > 0) plain.unshift(...plain.splice(at, 1));
      return resolved;
    }
    return this.#resolve(policy);
  }

  #resolve(policy: Policy): ResolvedPolicy {
    const house = this.#house.with(policy);
    const written = copyOf(house.policy, policy);
    // Of the copy, since that is what the next one is compared with.
    const resolved = resolve(house, written ?? policy, this.#attached);
    if (written !== undefined) {
      this.#written.set(resolved, written);
      if (this.#plain.unshift(new WeakRef(resolved)) > MANY) this.#plain.pop();
    }
    return resolved;
  }
}

/**
 * A copy to compare with; `undefined` where that would not do. A plain object that is no group, a limiter or a logger, has a state of its
 * own, and in each call it is another.
 */
function copyOf(group: Group, options: unknown): object | undefined {
  if (!isPlain(options)) return undefined;
  const copies: [string, unknown][] = [];
  for (const [name, value] of Object.entries(options)) {
    const option = group.fields[name];
    const isGroup = option instanceof Group && option.isOptions(value);
    const kept = isGroup ? copyOf(option, value) : copyOfValue(value);
    if (kept === undefined && value !== undefined) return undefined;
    copies.push([name, kept]);
  }
  return Object.fromEntries(copies);
}

function copyOfValue(value: unknown): unknown {
  if (!Array.isArray(value)) return isPlain(value) ? undefined : value;
  return value.some((each) => Array.isArray(each) || isPlain(each)) ? undefined : [...value];
}

function isAlike(written: unknown, value: unknown): boolean {
  if (Object.is(written, value)) return true;
  if (Array.isArray(written)) return Array.isArray(value) && isSameList(written, value);
  return isPlain(written) && isPlain(value) && isSameGroup(written, value);
}

function isSameList(written: readonly unknown[], list: readonly unknown[]): boolean {
  return written.length === list.length && written.every((each, i) => Object.is(each, list[i]));
}

function isSameGroup(written: Record<string, unknown>, group: Record<string, unknown>): boolean {
  const names = Object.keys(group);
  const known = Object.keys(written);
  return (
    names.length === known.length && known.every((name, i) => name === names[i] && isAlike(written[name], group[name]))
  );
}
