import { type Timeout, withTimeout } from '../time/with-timeout.ts';

// What the loop does with a response body that is a stream or a Blob. Of an error it reads the beginning. One that nobody will see it gets
// rid of, so that its socket goes back to the pool.

/** The part of Node's `Readable` that is used here; the library has no Node types, since it runs in browsers as well. */
export interface NodeStream {
  pipe: unknown;
  readonly destroyed: boolean;
  readonly readableEnded: boolean;
  readonly readableFlowing: boolean | null;
  readonly readableLength: number;
  /** Not documented. But nothing else tells that the end has come while there is still data to be read. */
  readonly _readableState?: { readonly ended?: boolean };
  read(): Uint8Array | string | null;
  unshift(chunk: Uint8Array | string): void;
  resume(): unknown;
  destroy(error?: unknown): unknown;
  push(chunk: Uint8Array | string | null, ...rest: readonly unknown[]): unknown;
  listenerCount(event: string): number;
  on(event: string, listener: (chunk: never) => void): unknown;
  removeListener(event: string, listener: (chunk: never) => void): unknown;
}

export const isNodeStream = (body: unknown): body is NodeStream =>
  typeof (body as NodeStream | null)?.pipe === 'function' &&
  typeof (body as NodeStream).read === 'function' &&
  typeof (body as NodeStream).on === 'function';

export const isWebStream = (body: unknown): body is ReadableStream<Uint8Array> =>
  typeof (body as ReadableStream | null)?.getReader === 'function';

const isBlob = (body: unknown): body is Blob => typeof Blob === 'function' && body instanceof Blob;

/** Whether the body must still be read: it is a stream or a Blob. */
export const isUnread = (body: unknown): boolean => isNodeStream(body) || isWebStream(body) || isBlob(body);

/** How much of an error's body is read, in bytes. */
export const PEEKED_BYTES = 64 * 1024;

/** What was read of a body, and the body for the caller: whole, as if nobody had read of it. */
interface Peeked {
  readonly text: string;
  readonly body: unknown;
}

/**
 * Reads the first 64 KiB of a body, and puts them back. Never rejects.
 *
 * @param bound when the reading ends at the latest; what has come by then is put back
 */
export async function peek(body: unknown, bound: Timeout): Promise<Peeked> {
  try {
    if (isBlob(body)) return { text: await body.slice(0, PEEKED_BYTES).text(), body };
    if (isNodeStream(body)) return { text: await peekNodeStream(body, bound), body };
    if (isWebStream(body)) return await peekWebStream(body, bound);
  } catch {
    // It looks like a stream and is none. The caller may know what it is.
  }
  return { text: '', body };
}

async function peekNodeStream(stream: NodeStream, bound: Timeout): Promise<string> {
  const hasEnded = () => stream._readableState?.ended !== false;
  // Only the end is left: a listener of ours would have the stream emit it now, before the caller listens.
  if (stream.destroyed || (hasEnded() && stream.readableLength === 0)) return '';
  const chunks: (Uint8Array | string)[] = [];
  let size = 0;
  const take = () => {
    // Not with an empty buffer: there, `read` would bring about the end. A stream of objects gives them one by one.
    while (!stream.destroyed && stream.readableLength > 0) {
      const chunk = stream.read();
      if (chunk === null) break;
      chunks.push(chunk);
      size += chunk.length || 1;
      if (size >= PEEKED_BYTES) break;
    }
  };
  let finish = () => {};
  const read = new Promise<void>((resolve) => {
    finish = () => {
      finish = () => {};
      stream.removeListener('readable', readable);
      stream.removeListener('error', done);
      stream.removeListener('close', done);
      take();
      // In the same tick as the last `read`, so before 'end': after that nothing can be put back.
      if (!stream.destroyed) for (const chunk of chunks.toReversed()) stream.unshift(chunk);
      resolve();
    };
  });
  const done = () => finish();
  const readable = () => {
    take();
    if (hasEnded() || size >= PEEKED_BYTES) finish();
  };
  stream.on('readable', readable);
  stream.on('error', done);
  stream.on('close', done);
  await withTimeout(read, bound);
  finish();
  return decode(chunks);
}

async function peekWebStream(stream: ReadableStream<Uint8Array>, bound: Timeout): Promise<Peeked> {
  if (stream.locked) return { text: '', body: stream };
  const [ours, theirs] = stream.tee();
  const reader = ours.getReader();
  const chunks: Uint8Array[] = [];
  const read = async () => {
    for (let size = 0; size < PEEKED_BYTES; ) {
      const { value } = await reader.read();
      if (value === undefined) return;
      chunks.push(value);
      size += value.byteLength;
    }
  };
  // An error of the stream shows in the caller's half too.
  await withTimeout(read(), bound).catch(() => {});
  reader.cancel().catch(() => {});
  return { text: decode(chunks), body: theirs };
}

function decode(chunks: readonly unknown[]): string {
  const decoder = new TextDecoder();
  const texts = chunks.map((chunk) => {
    if (typeof chunk === 'string') return chunk;
    // A stream of objects may hold anything; what is no text is passed over.
    return chunk instanceof Uint8Array ? decoder.decode(chunk, { stream: true }) : '';
  });
  return texts.join('') + decoder.decode();
}

/** The longest body that is read to its end so that its socket can be used again, in bytes. */
const DRAINED_BYTES = 256 * 1024;

/**
 * Gets rid of a body that nobody will read. One of at most 256 KiB is read to its end, so that its connection can be used again; any other
 * is destroyed. Never rejects.
 *
 * @param bound when it must have ended; left out, it is destroyed at once
 */
export async function discard(body: unknown, bound?: Timeout): Promise<void> {
  try {
    if (isNodeStream(body)) await discardNodeStream(body, bound);
    else if (isWebStream(body)) await discardWebStream(body, bound);
  } catch {
    // It looks like a stream and is none.
  }
}

async function discardNodeStream(stream: NodeStream, bound: Timeout | undefined): Promise<void> {
  const over = new Promise<void>((resolve) => {
    // This listener stays: the stream may fail after it was destroyed, and an error without a listener ends the process.
    stream.on('error', () => resolve());
    if (bound === undefined || stream.destroyed || stream.readableEnded) return resolve();
    let size = 0;
    stream.on('end', () => resolve());
    stream.on('close', () => resolve());
    stream.on('data', (chunk: Uint8Array | string) => {
      size += chunk.length;
      if (size <= DRAINED_BYTES) return;
      stream.destroy();
      resolve();
    });
    stream.resume();
  });
  if (bound !== undefined) await withTimeout(over, bound);
  if (!stream.readableEnded) stream.destroy();
}

async function discardWebStream(stream: ReadableStream<Uint8Array>, bound: Timeout | undefined): Promise<void> {
  if (stream.locked) return;
  const reader = stream.getReader();
  const drain = async () => {
    for (let size = 0; size <= DRAINED_BYTES; ) {
      const { done, value } = await reader.read();
      if (done) return;
      size += value.byteLength;
    }
  };
  // One that breaks off has ended too.
  if (bound !== undefined) await withTimeout(drain(), bound).catch(() => {});
  // Not awaited: axios' fetch adapter sees to it only when the next byte has come.
  reader.cancel().catch(() => {});
  // The call may end with this answer after all. Then its stream is empty, and the caller may cancel it, which needs the lock.
  reader.releaseLock();
}
