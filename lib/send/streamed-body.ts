import { headerOf } from '../call/header.ts';
import { isNodeStream, isWebStream, type NodeStream } from './response-body.ts';

/** The body of an answer, while the caller reads it as a stream. */
export interface StreamedBody {
  /** What the caller reads: the Node stream that the adapter gave, or a web stream around the one that it gave. */
  readonly data: unknown;
  /** How much of it has come, in bytes. */
  readonly came: number;
  /** How much of it has been read, in bytes. */
  readonly read: number;
  /** Whether somebody waits for more of it. */
  readonly isAwaited: boolean;
  /** Whether it has come to its end, failed, or been destroyed. */
  readonly hasEnded: boolean;
  /** Called once, when it has ended. */
  onEnd: (() => void) | undefined;
  /** Destroys it: whoever reads it gets that error. */
  abort(error: unknown): void;
}

/**
 * Follows a body to its end. It does not make it flow, and the reader still gets its error. `undefined` where it has ended, or is no stream.
 *
 * @param headers of the answer. An empty web stream shows that it is empty only when somebody reads it, and perhaps nobody will; the
 * headers may tell
 */
export function followBody(data: unknown, headers?: unknown): StreamedBody | undefined {
  if (isNodeStream(data)) return isFinished(data) ? undefined : new NodeBody(data);
  if (isWebStream(data))
    return data.locked || headerOf(headers, 'content-length') === '0' ? undefined : new WebBody(data);
  return undefined;
}

/** Whether nothing is left to be read. An empty body (to a HEAD, of a 204 or a 304) may never close, since nobody reads it. */
const isFinished = (stream: NodeStream): boolean =>
  stream.destroyed || stream.readableEnded || (stream._readableState?.ended === true && stream.readableLength === 0);

class NodeBody implements StreamedBody {
  readonly data: NodeStream;
  came: number;
  hasEnded = false;
  onEnd: (() => void) | undefined;

  constructor(stream: NodeStream) {
    this.data = stream;
    this.came = stream.readableLength;
    // Some streams end and do not close.
    stream.on('close', this.#end);
    stream.on('end', this.#end);
    // A listener to 'data' would make it flow. So the bytes are counted where they come in.
    const { push } = stream;
    const counted = (chunk: Uint8Array | string | null, ...rest: readonly unknown[]): unknown => {
      this.came += chunk === null ? 0 : (chunk?.length ?? 1);
      const pushed = push.call(stream, chunk, ...rest);
      if (isFinished(stream)) this.#end();
      return pushed;
    };
    Object.defineProperty(stream, 'push', { value: counted, configurable: true, writable: true });
  }

  get read(): number {
    return this.came - this.data.readableLength;
  }

  get isAwaited(): boolean {
    const { readableLength, readableFlowing } = this.data;
    return readableLength === 0 && (readableFlowing === true || this.data.listenerCount('readable') > 0);
  }

  abort(error: unknown): void {
    // The error must not end the process where nobody listens yet.
    this.data.on('error', () => {});
    this.data.destroy(error);
  }

  readonly #end = (): void => {
    this.data.removeListener('close', this.#end);
    this.data.removeListener('end', this.#end);
    Reflect.deleteProperty(this.data, 'push');
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.onEnd?.();
  };
}

/**
 * Only who reads a web stream is told of its end. So we read it, and the caller gets another stream in its place. That one has no buffer:
 * it reads a chunk when it is asked for one.
 */
class WebBody implements StreamedBody {
  readonly data: ReadableStream<Uint8Array>;
  came = 0;
  isAwaited = false;
  hasEnded = false;
  onEnd: (() => void) | undefined;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #controller!: ReadableStreamController<Uint8Array>;
  /** Whether the source has ended: its last chunk has been read, or is being handed on. */
  #isDrained = false;

  constructor(stream: ReadableStream<Uint8Array>) {
    const isOfBytes = takesBuffers(stream);
    this.#reader = stream.getReader();
    const source = {
      start: (controller: ReadableStreamController<Uint8Array>) => {
        this.#controller = controller;
      },
      pull: () => this.#pull(),
      cancel: (reason: unknown) => {
        this.#end();
        return this.#reader.cancel(reason);
      },
    };
    this.data = isOfBytes
      ? new ReadableStream({ ...source, type: 'bytes' } as UnderlyingByteSource)
      : new ReadableStream<Uint8Array>(source, { highWaterMark: 0 });
    // It may end or fail while nobody reads.
    this.#reader.closed.then(
      () => {
        this.#isDrained = true;
        if (!this.isAwaited) this.#close();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  /** Nothing comes before somebody reads. */
  get read(): number {
    return this.came;
  }

  abort(error: unknown): void {
    this.#fail(error);
    this.#reader.cancel(error).catch(() => {});
  }

  async #pull(): Promise<void> {
    this.isAwaited = true;
    try {
      for (let chunk = await this.#reader.read(); !chunk.done && !this.hasEnded; chunk = await this.#reader.read()) {
        const size = chunk.value?.byteLength ?? 1;
        this.came += size;
        // A stream of bytes takes no empty chunk.
        if (size === 0 && 'byobRequest' in this.#controller) continue;
        this.#controller.enqueue(chunk.value as never);
        if (this.#isDrained) this.#close();
        return;
      }
      this.#close();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.isAwaited = false;
    }
  }

  #close(): void {
    if (this.hasEnded) return;
    this.#end();
    this.#controller.close();
    // A reader that waits with a buffer of its own gets it back empty.
    if ('byobRequest' in this.#controller) this.#controller.byobRequest?.respond(0);
  }

  #fail(error: unknown): void {
    if (this.hasEnded) return;
    this.#end();
    this.#controller.error(error);
  }

  #end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.onEnd?.();
  }
}

/** Whether it is a stream of bytes: only those can be read into a buffer of the reader's own. */
function takesBuffers(stream: ReadableStream<Uint8Array>): boolean {
  try {
    stream.getReader({ mode: 'byob' }).releaseLock();
    return true;
  } catch {
    return false;
  }
}
