import { headerOf } from '../call/header.ts';
import { isNodeStream, isWebStream, type NodeStream } from './response-body.ts';

/** The body of an answer that the caller gets as a stream, on its way. */
export interface StreamedBody {
  /** What the caller reads: a Node stream is the very one that the adapter gave, a web stream is wrapped. */
  readonly data: unknown;
  /** How much of it has come, in bytes. */
  readonly came: number;
  /** How much of it has been read, in bytes. */
  readonly read: number;
  /** Whether somebody waits for more of it. */
  readonly isAwaited: boolean;
  /** Whether it has ended, failed, or been destroyed. */
  readonly hasEnded: boolean;
  /** Called once, when it is over. */
  onEnd: (() => void) | undefined;
  /** Ends it, for whoever reads it, with that error. */
  abort(error: unknown): void;
}

/**
 * Follows a body to its end, without making it flow, and without taking its error from whom it is for. `undefined` where it is over
 * already, or where there is nothing to follow.
 *
 * @param headers of the answer: a web stream that is empty does not show it before it is read, which nobody need do
 */
export function followBody(data: unknown, headers?: unknown): StreamedBody | undefined {
  if (isNodeStream(data)) return isOver(data) ? undefined : new NodeBody(data);
  if (isWebStream(data))
    return data.locked || headerOf(headers, 'content-length') === '0' ? undefined : new WebBody(data);
  return undefined;
}

/** An answer to HEAD, a 204, a 304: nobody reads what is empty, so it would never close. */
const isOver = (stream: NodeStream): boolean =>
  stream.destroyed || stream.readableEnded || (stream._readableState?.ended === true && stream.readableLength === 0);

class NodeBody implements StreamedBody {
  readonly data: NodeStream;
  came: number;
  hasEnded = false;
  onEnd: (() => void) | undefined;

  constructor(stream: NodeStream) {
    this.data = stream;
    this.came = stream.readableLength;
    // A stream that does not close by itself ends all the same.
    stream.on('close', this.#end);
    stream.on('end', this.#end);
    // Listening to its data would make it flow, so what comes is counted where it comes in.
    const { push } = stream;
    if (typeof push !== 'function') return;
    const counted = (chunk: Uint8Array | string | null, ...rest: readonly unknown[]): unknown => {
      this.came += chunk === null ? 0 : (chunk?.length ?? 1);
      const pushed = push.call(stream, chunk, ...rest);
      if (isOver(stream)) this.#end();
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
    // Where nobody listens yet, an error of ours must not end the process.
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
 * Nobody is told of the end of a web stream but who reads it, so the caller gets another one in its place. It keeps nothing in store:
 * it asks for a chunk when it is asked for one.
 */
class WebBody implements StreamedBody {
  readonly data: ReadableStream<Uint8Array>;
  came = 0;
  isAwaited = false;
  hasEnded = false;
  onEnd: (() => void) | undefined;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #controller!: ReadableStreamController<Uint8Array>;
  /** Its last chunk has been read, or is just being handed on. */
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
    // It may fail, or be aborted, while nobody reads.
    this.#reader.closed.then(
      () => {
        this.#isDrained = true;
        if (!this.isAwaited) this.#close();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  /** Nothing comes before it is read. */
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
    // Who waits with a buffer of their own is told so by an empty answer.
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

/** Whether it is a stream of bytes: only those can be read into a buffer of the reader's. */
function takesBuffers(stream: ReadableStream<Uint8Array>): boolean {
  try {
    stream.getReader({ mode: 'byob' }).releaseLock();
    return true;
  } catch {
    return false;
  }
}
