import type { Policy } from './options.ts';

/** On every one; registered, so that a second copy of this package sees it too. */
const PREPARED = Symbol.for('axios-holdfast.prepared-policy');

/**
 * A policy that was checked when it was made: see `preparePolicy`. Frozen.
 *
 * It is an instance of a class because axios clones plain objects for each call, and hands these on as they are.
 */
export class PreparedPolicy {
  /** What it was made of, in a copy of its own. */
  declare readonly policy: Policy;

  constructor(policy: Policy) {
    // Not enumerable: limiters and stores may stand in it, and configs are printed and turned into JSON.
    Object.defineProperties(this, { [PREPARED]: { value: true }, policy: { value: policy } });
    Object.freeze(this);
  }
}

export const isPrepared = (policy: unknown): policy is PreparedPolicy =>
  typeof policy === 'object' && policy !== null && PREPARED in policy;

/** The policy as it was written, prepared or not. */
export const asWritten = (policy: Policy | PreparedPolicy): Policy => (isPrepared(policy) ? policy.policy : policy);
