import { createHash } from 'node:crypto';
import { PassThrough, pipeline, Readable } from 'node:stream';
import { createGunzip, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { discard, isUnread, PEEKED_BYTES, peek } from '../../lib/send/response-body.ts';
import { systemClock } from '../../lib/time/clock.ts';
import type { Timeout } from '../../lib/time/with-timeout.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';
import { unhandledDuring } from '../support/unhandled.ts';

const pending = new Promise<never>(() => {});
/** As long as it takes. */
const never: Timeout = { ms: Number.POSITIVE_INFINITY, clock: new ManualClock() };
/** What is there by the next turn. */
const now: Timeout = { ms: 0, clock: systemClock };
/** Until the promise has settled, as a call may be cancelled. */
const until = (promise: Promise<unknown>): Timeout => ({
  ...never,
  cancellation: {
    requested: false,
    subscribe: (listener) => {
      void promise.then(listener);
      return () => {};
    },
  },
});

const bytesOf = (size: number): Buffer => Buffer.from(Array.from({ length: size }, (_, i) => 32 + (i % 95)));
const digest = (bytes: Uint8Array): string => `${bytes.length} ${createHash('sha1').update(bytes).digest('hex')}`;

async function whole(stream: Readable | ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Uint8Array | string>) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

/** Cuts bytes into chunks of these sizes, over and over. */
function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = Math.max(1, sizes[i % sizes.length] ?? 1);
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

/** A Node stream that gets a chunk per turn of the event loop, or all of them at once. */
function nodeStream(chunks: readonly Buffer[], { turns = true, end = true } = {}): Readable {
  const stream = new PassThrough();
  const write = async () => {
    for (const chunk of chunks) {
      if (stream.destroyed) return;
      while (stream.writableNeedDrain && !stream.destroyed) await settle();
      stream.write(chunk);
      if (turns) await settle();
    }
    if (end) stream.end();
  };
  void write();
  return stream;
}

function webStream(chunks: readonly Uint8Array[], end = true): ReadableStream<Uint8Array> & { cancelled?: boolean } {
  let next = 0;
  const stream: ReadableStream<Uint8Array> & { cancelled?: boolean } = new ReadableStream({
    async pull(controller) {
      await settle();
      const chunk = chunks[next++];
      if (chunk !== undefined) controller.enqueue(chunk);
      else if (end) controller.close();
      else await pending;
    },
    cancel() {
      stream.cancelled = true;
    },
  });
  return stream;
}

const SIZES = [
  0, 1, 2, 3, 100, 16_383, 16_384, 16_385, 32_768, 65_535, 65_536, 65_537, 65_538, 131_072, 200_000,
] as const;

describe(isUnread.name, () => {
  it('is what takes reading: streams of both kinds and Blobs', () => {
    for (const body of [new PassThrough(), new ReadableStream(), new Blob(['x'])]) expect(isUnread(body)).toBe(true);
    for (const body of [undefined, null, '', 'x', Buffer.of(1), {}, [], 7]) expect(isUnread(body)).toBe(false);
  });
});

describe(peek.name, () => {
  describe('of a Node stream', () => {
    it.each(SIZES)('reads the beginning of %i bytes and leaves all of them', async (size) => {
      for (const chunk of [1, 1_000, 16_384, 65_536, 300_000]) {
        if (size / chunk > 300) continue;
        const bytes = bytesOf(size);
        const stream = nodeStream(cut(bytes, [chunk]));
        const { text, body } = await peek(stream, never);
        expect(body).toBe(stream);
        expect(Buffer.from(text).equals(bytes.subarray(0, text.length))).toBe(true);
        expect(text.length).toBeGreaterThanOrEqual(Math.min(size, PEEKED_BYTES));
        expect(digest(await whole(stream))).toBe(digest(bytes));
      }
    });

    it('reads all, and leaves all, however the bytes arrive', async () => {
      const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 20_000 })), {
        minLength: 1,
        maxLength: 12,
      });
      await fc.assert(
        fc.asyncProperty(sizes, fc.nat(PEEKED_BYTES), fc.boolean(), async (parts, size, turns) => {
          const bytes = bytesOf(size);
          const stream = nodeStream(cut(bytes, parts.some((part) => part > 500) ? parts : [...parts, 5_000]), {
            turns,
          });
          const { text } = await peek(stream, never);
          expect(text).toBe(bytes.toString());
          expect(digest(await whole(stream))).toBe(digest(bytes));
        }),
        { numRuns: 100 },
      );
    });

    it('reads on where the first byte comes alone', async () => {
      const stream = nodeStream([Buffer.from('{'), Buffer.from('"error":'), Buffer.from('1'), Buffer.from('}')]);
      const { text } = await peek(stream, never);
      expect(text).toBe('{"error":1}');
      expect((await whole(stream)).toString()).toBe('{"error":1}');
    });

    it('reads no more than it has to of a long one', async () => {
      let made = 0;
      const stream = new Readable({
        read() {
          made += 16_384;
          this.push(Buffer.alloc(16_384, 97));
        },
      });
      const { text } = await peek(stream, never);
      expect(text.length).toBeGreaterThanOrEqual(PEEKED_BYTES);
      expect(made).toBeLessThan(3 * PEEKED_BYTES);
      stream.destroy();
    });

    it('gives up on one that never ends, with what has come so far', async () => {
      const stream = nodeStream([Buffer.from('{"half":')], { end: false });
      const { text } = await peek(stream, until(settle().then(settle).then(settle)));
      expect(text).toBe('{"half":');
      (stream as PassThrough).end('2}');
      expect((await whole(stream)).toString()).toBe('{"half":2}');
    });

    it('gives up on one that is silent', async () => {
      const stream = new PassThrough();
      expect(await peek(stream, now)).toEqual({ text: '', body: stream });
      stream.end('late');
      expect((await whole(stream)).toString()).toBe('late');
    });

    it.each(SIZES.filter((size) => size > 0))('reads %i bytes through gunzip', async (size) => {
      const bytes = bytesOf(size);
      const stream = pipeline([nodeStream(cut(gzipSync(bytes), [100])), createGunzip()], () => {}) as never as Readable;
      const { text } = await peek(stream, never);
      expect(Buffer.from(text).equals(bytes.subarray(0, text.length))).toBe(true);
      expect(text.length).toBeGreaterThanOrEqual(Math.min(size, PEEKED_BYTES));
      expect(digest(await whole(stream))).toBe(digest(bytes));
    });

    it('reads one made of whole pieces, as mocks make them', async () => {
      for (const pieces of [['{"a":1}'], ['{"a"', ':1}'], ['{', '"a"', ':1', '}']]) {
        for (const made of [pieces, pieces.map((piece) => Buffer.from(piece))]) {
          const stream = Readable.from(made);
          expect((await peek(stream, never)).text).toBe('{"a":1}');
          expect((await whole(stream)).toString()).toBe('{"a":1}');
        }
      }
    });

    it('keeps characters whole that were cut in two', async () => {
      const bytes = Buffer.from('{"message":"Übergröße ☂ 🦒"}');
      const stream = nodeStream(cut(bytes, [1, 2, 1, 3]));
      expect((await peek(stream, never)).text).toBe(bytes.toString());
      expect((await whole(stream)).equals(bytes)).toBe(true);
    });

    it('reads one whose encoding is set', async () => {
      const stream = nodeStream([Buffer.from('{"a":'), Buffer.from('"ü"}')]).setEncoding('utf8');
      expect((await peek(stream, never)).text).toBe('{"a":"ü"}');
      expect((await whole(stream)).toString()).toBe('{"a":"ü"}');
    });

    it('has nothing of one that is over or destroyed', async () => {
      const read = nodeStream([Buffer.from('x')]);
      await whole(read);
      expect((await peek(read, never)).text).toBe('');
      const destroyed = new PassThrough();
      destroyed.destroy();
      expect((await peek(destroyed, never)).text).toBe('');
    });

    it('keeps what came of one that breaks off, and leaves its error to the caller', async () => {
      const stream = nodeStream([Buffer.from('{"half":')], { end: false });
      const peeked = peek(stream, never);
      await settle();
      await settle();
      const unhandled = await unhandledDuring(async () => {
        stream.destroy(new Error('torn'));
        expect((await peeked).text).toMatch(/^(\{"half":)?$/);
        await expect(whole(stream)).rejects.toThrow('torn');
      });
      expect(unhandled).toEqual([]);
    });

    it.each(SIZES)('lets the caller hear the end of %i bytes', async (size) => {
      for (const turns of [true, false]) {
        const stream = nodeStream(cut(bytesOf(size), [10_000]), { turns });
        await peek(stream, never);
        let heard = 0;
        await new Promise((resolve) => {
          stream.on('data', (chunk: Buffer) => {
            heard += chunk.length;
          });
          stream.on('end', resolve);
        });
        expect(heard).toBe(size);
      }
    });

    it('lets the caller hear the end of one that had ended, unread, before', async () => {
      for (const text of ['', '{}']) {
        const stream = new PassThrough();
        stream.end(text);
        await settle();
        expect((await peek(stream, never)).text).toBe(text);
        await new Promise((resolve) => stream.on('end', resolve).resume());
      }
    });

    it('lets the caller hear the end of one that ends, empty, while it is being read', async () => {
      const stream = new PassThrough();
      const peeked = peek(stream, never);
      await settle();
      stream.end();
      expect((await peeked).text).toBe('');
      await settle();
      await new Promise((resolve) => stream.on('end', resolve).resume());
    });

    it('has no text of a stream of objects', async () => {
      const stream = Readable.from([{ a: 1 }, 7, '{}']);
      expect((await peek(stream, never)).text).toBe('{}');
      expect(await stream.toArray()).toEqual([{ a: 1 }, 7, '{}']);
    });

    it('takes its listeners away', async () => {
      const stream = nodeStream([Buffer.from('{}')], { end: false });
      const before = stream.eventNames().map((name) => [name, stream.listenerCount(name)]);
      await peek(stream, until(settle().then(settle)));
      expect(stream.eventNames().map((name) => [name, stream.listenerCount(name)])).toEqual(before);
      stream.destroy();
    });

    it('leaves a stream that flows, pipes and pauses as any other', async () => {
      const stream = nodeStream(cut(bytesOf(40_000), [700]));
      await peek(stream, never);
      const piped = stream.pipe(new PassThrough());
      expect(digest(await whole(piped))).toBe(digest(bytesOf(40_000)));
    });
  });

  describe('of a web stream', () => {
    it.each(SIZES)('reads the beginning of %i bytes and leaves all of them', async (size) => {
      const bytes = bytesOf(size);
      const { text, body } = await peek(webStream(cut(bytes, [16_384])), never);
      expect(Buffer.from(text).equals(bytes.subarray(0, text.length))).toBe(true);
      expect(text.length).toBeGreaterThanOrEqual(Math.min(size, PEEKED_BYTES));
      expect(digest(await whole(body as ReadableStream<Uint8Array>))).toBe(digest(bytes));
    });

    it('gives up on one that never ends, and lets the caller cancel it', async () => {
      const stream = webStream([Buffer.from('{"half":')], false);
      const { text, body } = await peek(stream, until(settle().then(settle).then(settle)));
      expect(text).toBe('{"half":');
      await (body as ReadableStream).cancel();
      expect(stream.cancelled).toBe(true);
    });

    it('leaves an error to the caller', async () => {
      const stream = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(Buffer.from('{')),
        pull: () => Promise.reject(new Error('torn')),
      });
      const unhandled = await unhandledDuring(async () => {
        const { body } = await peek(stream, never);
        await expect(whole(body as ReadableStream<Uint8Array>)).rejects.toThrow('torn');
      });
      expect(unhandled).toEqual([]);
    });

    it('keeps its hands off one that somebody reads', async () => {
      const stream = webStream([Buffer.from('x')]);
      const reader = stream.getReader();
      expect(await peek(stream, never)).toEqual({ text: '', body: stream });
      expect((await reader.read()).value).toEqual(Buffer.from('x'));
    });
  });

  it('reads the first 64 KiB of a Blob', async () => {
    const blob = new Blob([bytesOf(PEEKED_BYTES + 10).toString()]);
    const { text, body } = await peek(blob, never);
    expect(body).toBe(blob);
    expect(text).toBe(bytesOf(PEEKED_BYTES).toString());
  });

  it('has nothing of anything else', async () => {
    for (const body of [undefined, 'x', {}]) expect(await peek(body, never)).toEqual({ text: '', body });
  });

  it('does not fail on what merely looks like a stream', async () => {
    const odd = { pipe() {}, read() {} };
    expect(await peek(odd, now)).toEqual({ text: '', body: odd });
    const torn = { getReader() {}, tee() {} };
    expect(await peek(torn, now)).toEqual({ text: '', body: torn });
  });
});

describe(discard.name, () => {
  it('reads a short Node stream to its end, so that its connection can be used again', async () => {
    const stream = nodeStream(cut(bytesOf(100_000), [10_000]));
    await discard(stream, never);
    expect(stream.readableEnded).toBe(true);
  });

  it('also after a peek', async () => {
    const stream = nodeStream(cut(bytesOf(10_000), [1_000]));
    await peek(stream, never);
    await discard(stream, never);
    expect(stream.readableEnded).toBe(true);
  });

  it('destroys one that has become too long', async () => {
    let made = 0;
    const stream = new Readable({
      read() {
        made += 16_384;
        this.push(Buffer.alloc(16_384));
      },
    });
    await discard(stream, never);
    expect(stream.destroyed).toBe(true);
    expect(made).toBeLessThan(1_000_000);
  });

  it('destroys one that does not end in time', async () => {
    const stream = nodeStream([Buffer.from('x')], { end: false });
    await discard(stream, until(settle()));
    expect(stream.destroyed).toBe(true);
  });

  it.each([
    ['ended', async (stream: PassThrough) => void (await whole(stream.end('x') as never as Readable))],
    ['destroyed', async (stream: PassThrough) => void stream.destroy()],
    ['failed', async (stream: PassThrough) => void stream.on('error', () => {}).destroy(new Error('torn'))],
  ])('is done at once with one that has %s', async (_, finish) => {
    const stream = new PassThrough();
    await finish(stream);
    await settle();
    await discard(stream, never);
  });

  it('survives one that breaks off, then or later', async () => {
    const unhandled = await unhandledDuring(async () => {
      const early = nodeStream([Buffer.from('x')], { end: false });
      const discarded = discard(early, never);
      early.destroy(new Error('torn'));
      await discarded;
      const late = nodeStream([Buffer.from('x')], { end: false });
      await discard(late, now);
      late.emit('error', new Error('torn'));
    });
    expect(unhandled).toEqual([]);
  });

  it('reads a short web stream to its end', async () => {
    let read = 0;
    const counted = new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk) => {
        read += chunk.length;
      },
    });
    const stream = webStream(cut(bytesOf(50_000), [10_000]));
    await discard(stream.pipeThrough(counted), never);
    expect(read).toBe(50_000);
    expect(stream.cancelled).toBeUndefined();
  });

  it('cancels a web stream that is too long or does not end in time', async () => {
    const long = webStream(cut(bytesOf(600_000), [60_000]));
    await discard(long, never);
    const silent = webStream([], false);
    await discard(silent, until(settle()));
    expect([long.cancelled, silent.cancelled]).toEqual([true, true]);
  });

  it('does not wait for a web stream that takes its time to be cancelled', async () => {
    await discard(new ReadableStream({ cancel: () => pending }), now);
  });

  it('destroys any at once where it is given no time', async () => {
    const node = nodeStream([Buffer.from('x')], { end: false });
    const web = webStream([Buffer.from('x')]);
    await Promise.all([discard(node), discard(web)]);
    const unhandled = await unhandledDuring(async () => void node.emit('error', new Error('torn')));
    expect([node.destroyed, web.cancelled, unhandled]).toEqual([true, true, []]);
  });

  it('survives a web stream that breaks off', async () => {
    const unhandled = await unhandledDuring(async () => {
      await discard(new ReadableStream({ pull: () => Promise.reject(new Error('torn')) }), never);
    });
    expect(unhandled).toEqual([]);
  });

  it('does nothing about anything else, and does not fail on what merely looks like a stream', async () => {
    for (const body of [undefined, 'x', {}, new Blob(['x']), { pipe() {}, read() {} }]) await discard(body, now);
    const locked = webStream([Buffer.from('x')]);
    locked.getReader();
    await discard(locked, never);
    expect(locked.cancelled).toBeUndefined();
  });
});
