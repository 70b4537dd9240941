import { isGroup } from './merge.ts';

/**
 * Freezes a policy all the way down, and takes its prototypes away: what a policy leaves out is asked for at every call, and a prototype
 * that somebody else has polluted must not speak for it. Groups and lists only: a limiter that is written as a plain object holds state of its own.
 */
export function freeze<T extends object>(options: T): T {
  // Most of a call's policy is of the attached one.
  if (Object.isFrozen(options) && Object.getPrototypeOf(options) === null) return options;
  for (const [name, value] of Object.entries(options)) {
    if (isGroup(name, value) || Array.isArray(value)) freeze(value as object);
  }
  // Reflect: what others hold too, as our own defaults, may be frozen by now.
  if (!Array.isArray(options)) Reflect.setPrototypeOf(options, null);
  return Object.freeze(options);
}
