import { type Timed, type Timeout, withTimeout } from '../time/with-timeout.ts';

/**
 * What the loop does with a response body that it was handed as a stream: read the beginning of an error's, and get rid
 * of one that nobody will see, so that its socket goes back to the pool.
 */

/** The part of Node's `Readable` that is used here; the library has no Node types, since it runs in browsers as well. */
export interface NodeStream {
  pipe: unknown;
  readonly destroyed: boolean;
  readonly readableEnded: boolean;
  readonly readableFlowing: boolean | null;
  readonly readableLength: number;
  /** Not documented, but there is no other way to see an end that lies behind data still to be read. */
  readonly _readableState?: { readonly ended?: boolean };
  read(): Uint8Array | string | null;
  unshift(chunk: Uint8Array | string): void;
  resume(): unknown;
  destroy(error?: unknown): unknown;
  push?(chunk: Uint8Array | string | null, ...rest: readonly unknown[]): unknown;
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

/** Whether reading the body takes more than looking at it. */
export const isUnread = (body: unknown): boolean => isNodeStream(body) || isWebStream(body) || isBlob(body);

/** The longest error body that is read, in bytes. */
export const PEEKED_BYTES = 64 * 1024;

/** What was read of a body, and the body for the caller: whole, as if nobody had touched it. */
export interface Peeked {
  readonly text: string;
  readonly body: unknown;
}

/**
 * Reads a body's first 64 KiB and puts them back. Never rejects.
 *
 * @param bound ends the reading early; what has come by then is put back all the same
 */
export async function peek(body: unknown, bound: Bound): Promise<Peeked> {
  try {
    if (isBlob(body)) return { text: await body.slice(0, PEEKED_BYTES).text(), body };
    if (isNodeStream(body)) return { text: await peekNodeStream(body, bound), body };
    if (isWebStream(body)) return await peekWebStream(body, bound);
  } catch {
    // It looks like a stream and is none; the caller may know what to do with it.
  }
  return { text: '', body };
}

async function peekNodeStream(stream: NodeStream, bound: Bound): Promise<string> {
  const hasEnded = () => stream._readableState?.ended !== false;
  // Listening to a stream whose end is all that is left would make it tell of that now, and not when the caller listens.
  if (stream.destroyed || (hasEnded() && stream.readableLength === 0)) return '';
  const chunks: (Uint8Array | string)[] = [];
  let size = 0;
  const take = () => {
    // Reading an empty buffer at the end would be the end. A stream of objects gives them one by one.
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
      // Within the tick in which the last was read, and so before 'end', after which nothing could be put back.
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
  await within(read, bound);
  finish();
  return decode(chunks);
}

async function peekWebStream(stream: ReadableStream<Uint8Array>, bound: Bound): Promise<Peeked> {
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
  // The caller meets the stream's error in their own half.
  await within(read(), bound).catch(() => {});
  reader.cancel().catch(() => {});
  return { text: decode(chunks), body: theirs };
}

function decode(chunks: readonly unknown[]): string {
  const decoder = new TextDecoder();
  const texts = chunks.map((chunk) => {
    if (typeof chunk === 'string') return chunk;
    // A stream of objects may hold anything.
    return chunk instanceof Uint8Array ? decoder.decode(chunk, { stream: true }) : '';
  });
  return texts.join('') + decoder.decode();
}

/** The longest body that is read to its end for the sake of its socket, in bytes. */
const DRAINED_BYTES = 256 * 1024;

/**
 * Gets rid of a body that nobody will read: reads a short one to its end, so that the connection can be used again, and
 * destroys any other. Never rejects.
 *
 * @param bound how long it may take to end; left out, it is destroyed at once
 */
export async function discard(body: unknown, bound?: Bound): Promise<void> {
  try {
    if (isNodeStream(body)) await discardNodeStream(body, bound);
    else if (isWebStream(body)) await discardWebStream(body, bound);
  } catch {
    // It looks like a stream and is none.
  }
}

async function discardNodeStream(stream: NodeStream, bound: Bound | undefined): Promise<void> {
  const over = new Promise<void>((resolve) => {
    // Stays on: a stream may err after it was destroyed, and without a listener that would end the process.
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
  if (bound !== undefined) await within(over, bound);
  if (!stream.readableEnded) stream.destroy();
}

async function discardWebStream(stream: ReadableStream<Uint8Array>, bound: Bound | undefined): Promise<void> {
  if (stream.locked) return;
  const reader = stream.getReader();
  const drain = async () => {
    for (let size = 0; size <= DRAINED_BYTES; ) {
      const { done, value } = await reader.read();
      if (done) return;
      size += value.byteLength;
    }
  };
  // One that breaks off is over as well.
  if (bound !== undefined) await within(drain(), bound).catch(() => {});
  // Not awaited, since axios' fetch adapter gets round to it only when the next byte has come.
  reader.cancel().catch(() => {});
  // Where the call ends with this answer after all, its stream is empty, and whoever does away with it may do so.
  reader.releaseLock();
}

/** A promise ends it when it settles. */
type Bound = Timeout | Promise<unknown>;

const within = <T>(promise: Promise<T>, bound: Bound): Promise<Timed<T> | undefined> =>
  bound instanceof Promise
    ? Promise.race([promise.then(() => undefined), bound.then(() => undefined)])
    : withTimeout(promise, bound);
