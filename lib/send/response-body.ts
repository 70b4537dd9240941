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
 * @param giveUp ends the reading early; what has come by then is put back all the same.
 */
export async function peek(body: unknown, giveUp: Promise<unknown>): Promise<Peeked> {
  try {
    if (isBlob(body)) return { text: await body.slice(0, PEEKED_BYTES).text(), body };
    if (isNodeStream(body)) return { text: await peekNodeStream(body, giveUp), body };
    if (isWebStream(body)) return await peekWebStream(body, giveUp);
  } catch {
    // It looks like a stream and is none; the caller may know what to do with it.
  }
  return { text: '', body };
}

function peekNodeStream(stream: NodeStream, giveUp: Promise<unknown>): Promise<string> {
  const hasEnded = () => stream._readableState?.ended !== false;
  // Listening to a stream whose end is all that is left would make it tell of that now, and not when the caller listens.
  if (stream.destroyed || (hasEnded() && stream.readableLength === 0)) return Promise.resolve('');
  return new Promise((resolve) => {
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
    let over = false;
    const done = () => {
      if (over) return;
      over = true;
      stream.removeListener('readable', readable);
      stream.removeListener('error', done);
      stream.removeListener('close', done);
      take();
      // Within the tick in which the last was read, and so before 'end', after which nothing could be put back.
      if (!stream.destroyed) for (const chunk of chunks.toReversed()) stream.unshift(chunk);
      resolve(decode(chunks));
    };
    const readable = () => {
      take();
      if (hasEnded() || size >= PEEKED_BYTES) done();
    };
    stream.on('readable', readable);
    stream.on('error', done);
    stream.on('close', done);
    giveUp.then(done, done);
  });
}

async function peekWebStream(stream: ReadableStream<Uint8Array>, giveUp: Promise<unknown>): Promise<Peeked> {
  if (stream.locked) return { text: '', body: stream };
  const [ours, theirs] = stream.tee();
  const reader = ours.getReader();
  const chunks: Uint8Array[] = [];
  const ended = giveUp.then(
    () => undefined,
    () => undefined,
  );
  try {
    for (let size = 0; size < PEEKED_BYTES; ) {
      const next = await Promise.race([reader.read(), ended]);
      if (next?.value === undefined) break;
      chunks.push(next.value);
      size += next.value.byteLength;
    }
  } catch {
    // The caller meets the stream's error in their own half.
  }
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
 * @param giveUp ends the reading; a body that has not ended by then is destroyed.
 */
export async function discard(body: unknown, giveUp: Promise<unknown>): Promise<void> {
  try {
    if (isNodeStream(body)) await discardNodeStream(body, giveUp);
    else if (isWebStream(body)) await discardWebStream(body, giveUp);
  } catch {
    // It looks like a stream and is none.
  }
}

function discardNodeStream(stream: NodeStream, giveUp: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    let size = 0;
    const over = () => {
      stream.destroy();
      resolve();
    };
    // Stays on: a stream may err after it was destroyed, and without a listener that would end the process.
    stream.on('error', over);
    stream.on('end', () => resolve());
    stream.on('close', () => resolve());
    stream.on('data', (chunk: Uint8Array | string) => {
      size += chunk.length;
      if (size > DRAINED_BYTES) over();
    });
    giveUp.then(over, over);
    if (stream.destroyed || stream.readableEnded) resolve();
    else stream.resume();
  });
}

async function discardWebStream(stream: ReadableStream<Uint8Array>, giveUp: Promise<unknown>): Promise<void> {
  if (stream.locked) return;
  const reader = stream.getReader();
  const overdue = giveUp.then(
    () => undefined,
    () => undefined,
  );
  try {
    for (let size = 0; size <= DRAINED_BYTES; ) {
      const next = await Promise.race([reader.read(), overdue]);
      if (next === undefined) break;
      if (next.done) return;
      size += next.value.byteLength;
    }
  } catch {
    // It broke off, and so it is over.
  } finally {
    // Not awaited, since axios' fetch adapter gets round to it only when the next byte has come.
    reader.cancel().catch(() => {});
    // Where the call ends with this answer after all, its stream is empty, and whoever does away with it may do so.
    reader.releaseLock();
  }
}
