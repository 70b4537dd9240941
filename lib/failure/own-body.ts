import { chainOf, codeOf } from './code.ts';

/** Errors of bodies that did not stand on the caller's config: those that `body` or `beforeSend` made. */
const broken = new WeakSet<object>();

/**
 * Whether a send failed because its body did: the very error that the caller's stream broke off with, or a stream that ended
 * before its end. Its code says nothing: a body that is fetched from elsewhere may be reset, and no connection of ours was.
 */
export function isOfOwnBody(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  return broken.has(error) || isBroken((error as { config?: { data?: unknown } | null }).config?.data, error);
}

/** Remembers an error of the body that was sent, before its config gives way to the caller's. */
export function noteOwnBody(error: unknown, data: unknown): void {
  if (typeof error === 'object' && error !== null && isBroken(data, error)) broken.add(error);
}

function isBroken(data: unknown, error: object): boolean {
  if (typeof data !== 'object' || data === null) return false;
  const { errored, destroyed, readableEnded } = data as {
    errored?: unknown;
    destroyed?: unknown;
    readableEnded?: unknown;
  };
  if (typeof errored === 'object' && errored !== null) return chainOf(error).includes(errored);
  return destroyed === true && readableEnded === false && codeOf(error) === 'ERR_STREAM_PREMATURE_CLOSE';
}
