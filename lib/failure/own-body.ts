import { chainOf, codeOf } from './code.ts';

/** By this, Node's `stream.isErrored` asks a web stream whether it failed. With what, it does not tell; other engines tell nothing. */
const WEB_STREAM_ERRORED = Symbol.for('nodejs.stream.errored');

/** Errors of bodies that the caller's config does not have: `body` or `beforeSend` made them. */
const broken = new WeakSet<object>();

/**
 * Whether a send failed because its own request body did: the caller's stream failed with this very error, or broke off too early.
 *
 * The code can't tell. Where the body is a download from elsewhere, that may be reset (ECONNRESET), while our own connection is well.
 */
export function isOwnBodyError(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  return broken.has(error) || isBroken((error as { config?: { data?: unknown } | null }).config?.data, error);
}

/** Remembers that the error is one of the sent body, before the error's config is replaced by the caller's, which may have another body. */
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
  // `true` only where the source of the stream failed. A lost connection cancels the stream, and that closes it without an error.
  if (isErrored === true) return true;
  if (typeof errored === 'object' && errored !== null) return chainOf(error).includes(errored);
  return destroyed === true && readableEnded === false && codeOf(error) === 'ERR_STREAM_PREMATURE_CLOSE';
}
