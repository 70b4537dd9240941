import { chainOf, codeOf } from './code.ts';

/** By which Node's `stream.isErrored` asks a web stream, whose error itself nobody is shown. Other engines do not tell. */
const WEB_STREAM_ERRORED = Symbol.for('nodejs.stream.errored');

/** Errors of bodies that did not stand on the caller's config: those that `body` or `beforeSend` made. */
const broken = new WeakSet<object>();

/**
 * Whether a send failed because its body did: the very error that the caller's stream broke off with, or a stream that ended
 * before its end. Its code says nothing: a body that is fetched from elsewhere may be reset, and no connection of ours was.
 */
export function isOwnBodyError(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  return broken.has(error) || isBroken((error as { config?: { data?: unknown } | null }).config?.data, error);
}

/** Remembers an error of the body that was sent, before its config gives way to the caller's. */
export function noteOwnBodyError(error: unknown, data: unknown): void {
  if (typeof error === 'object' && error !== null && isBroken(data, error)) broken.add(error);
}

function isBroken(data: unknown, error: object): boolean {
  if (typeof data !== 'object' || data === null) return false;
  const {
    [WEB_STREAM_ERRORED]: isErrored,
    errored,
    destroyed,
    readableEnded,
  } = data as {
    [WEB_STREAM_ERRORED]?: unknown;
    errored?: unknown;
    destroyed?: unknown;
    readableEnded?: unknown;
  };
  // A connection that is lost cancels the stream, which closes it.
  if (isErrored === true) return true;
  if (typeof errored === 'object' && errored !== null) return chainOf(error).includes(errored);
  return destroyed === true && readableEnded === false && codeOf(error) === 'ERR_STREAM_PREMATURE_CLOSE';
}
