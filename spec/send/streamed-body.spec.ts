import { PassThrough, Readable } from 'node:stream';
import { createGunzip, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { followBody, type StreamedBody } from '../../lib/send/streamed-body.ts';
import { settle } from '../support/manual-clock.ts';
import { unhandledDuring } from '../support/unhandled.ts';

/** The web stream that a caller gets. */
const webStreamOf = (body: StreamedBody | undefined) => body?.data as ReadableStream<Uint8Array>;

function follow(data: unknown): { body: StreamedBody | undefined; over: () => number } {
  let times = 0;
  const body = followBody(data);
  if (body !== undefined) {
    body.onEnd = () => {
      times += 1;
    };
  }
  return { body, over: () => times };
}

const bytes = (text: string) => new TextEncoder().encode(text);

/** A web stream that gives these, one each time it is asked. */
function webStream(chunks: readonly string[], type?: 'bytes') {
  const left = [...chunks];
  const asked = { times: 0, cancelled: undefined as unknown };
  const source = {
    pull(controller: ReadableStreamController<Uint8Array>) {
      asked.times += 1;
      const next = left.shift();
      if (next !== undefined) return controller.enqueue(bytes(next) as never);
      controller.close();
      if ('byobRequest' in controller) controller.byobRequest?.respond(0);
    },
    cancel(reason: unknown) {
      asked.cancelled = reason;
    },
  };
  const stream =
    type === undefined
      ? new ReadableStream<Uint8Array>(source, { highWaterMark: 0 })
      : new ReadableStream({ ...source, type } as UnderlyingByteSource);
  return { stream, asked };
}

async function textOf(stream: unknown): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe(followBody.name, () => {
  it.each([['text'], [undefined], [null], [{}], [new Blob(['x'])]])('has nothing to follow in %s', (data) => {
    expect(follow(data).body).toBeUndefined();
  });

  describe('a Node stream', () => {
    it('is handed on as it is, and neither flows nor is listened to for data or errors', async () => {
      const stream = new PassThrough();
      const { body, over } = follow(stream);
      stream.write('some');
      await settle();
      expect(body?.data).toBe(stream);
      expect(stream.readableFlowing).toBeNull();
      expect(stream.listenerCount('data') + stream.listenerCount('error') + stream.listenerCount('readable')).toBe(0);
      expect(over()).toBe(0);
    });

    it('is over when it has been read to its end, once, and nothing of ours stays on it', async () => {
      const stream = Readable.from([Buffer.from('ab'), Buffer.from('c')], { objectMode: false });
      const { body, over } = follow(stream);
      stream.resume();
      await settle();
      expect(over()).toBe(1);
      expect(body).toMatchObject({ came: 3, read: 3 });
      expect(stream.listenerCount('close') + stream.listenerCount('end')).toBe(0);
      expect(Object.hasOwn(stream, 'push')).toBe(false);
    });

    it.each([
      ['is destroyed', (stream: Readable) => stream.destroy()],
      ['fails', (stream: Readable) => stream.on('error', () => {}).destroy(new Error('lost'))],
    ])('is over when it %s', async (_, end) => {
      const stream = new PassThrough();
      const { over } = follow(stream);
      end(stream);
      await settle();
      expect(over()).toBe(1);
    });

    it('is over at its end where it does not close by itself', async () => {
      const stream = new PassThrough({ autoDestroy: false });
      const { over } = follow(stream);
      stream.end('x');
      await textOf(stream);
      expect(over()).toBe(1);
    });

    it('is over at once where it is empty, and never before it is read where it is not', async () => {
      const empty = new PassThrough();
      const full = new PassThrough();
      const [ofEmpty, ofFull] = [follow(empty), follow(full)];
      empty.end();
      full.end('x');
      await settle();
      expect([ofEmpty.over(), ofFull.over()]).toEqual([1, 0]);
      expect(follow(empty).body).toBeUndefined();
      expect(follow(full).body).toBeDefined();
      full.destroy();
      expect(follow(full).body).toBeUndefined();
    });

    it('counts what came and what was read, also what had come before', async () => {
      const stream = new PassThrough();
      stream.write('abcd');
      const { body } = follow(stream);
      stream.write('ef');
      expect(body).toMatchObject({ came: 6, read: 0 });
      stream.read(5);
      expect(body).toMatchObject({ came: 6, read: 5 });
    });

    it('is awaited where somebody has read all that came', async () => {
      for (const listen of ['data', 'readable']) {
        const stream = new PassThrough();
        const { body } = follow(stream);
        expect(body?.isAwaited).toBe(false);
        stream.on(listen, () => {});
        await settle();
        expect(body?.isAwaited).toBe(true);
      }
    });

    it('is cut with an error for whoever listens, and harms nobody where nobody does', async () => {
      const heard = new PassThrough();
      const unheard = createGunzip();
      const reading = textOf(heard).catch((error: unknown) => error);
      const unhandled = await unhandledDuring(async () => {
        for (const stream of [heard, unheard]) follow(stream).body?.abort(new Error('deadline'));
        await settle();
      });
      expect(unhandled).toEqual([]);
      expect(await reading).toMatchObject({ message: 'deadline' });
      expect(unheard.destroyed).toBe(true);
    });

    it('is whole behind a decoder', async () => {
      const decoder = createGunzip();
      const { body, over } = follow(decoder);
      decoder.end(gzipSync('x'.repeat(100_000)));
      expect(await textOf(decoder)).toHaveLength(100_000);
      await settle();
      expect(over()).toBe(1);
      expect(body?.came).toBe(100_000);
    });
  });

  describe.each([undefined, 'bytes'] as const)('a web stream of type %s', (type) => {
    it('is read through another, which asks for a chunk only when it is asked for one', async () => {
      const { stream, asked } = webStream(['ab', 'c'], type);
      const { body, over } = follow(stream);
      expect(body?.data).not.toBe(stream);
      await settle();
      expect(asked.times).toBe(0);
      const reader = webStreamOf(body).getReader();
      const first = reader.read();
      expect(body?.isAwaited).toBe(true);
      expect((await first).value).toEqual(bytes('ab'));
      await settle();
      expect(asked.times).toBe(1);
      expect(body).toMatchObject({ came: 2, read: 2, isAwaited: false });
      expect(over()).toBe(0);
      reader.releaseLock();
      expect(await textOf(body?.data)).toBe('c');
      expect(over()).toBe(1);
    });

    it('is over when it is cancelled, which reaches the source', async () => {
      const { stream, asked } = webStream(['ab', 'c'], type);
      const { body, over } = follow(stream);
      await webStreamOf(body).cancel('enough');
      expect(asked.cancelled).toBe('enough');
      expect(over()).toBe(1);
    });

    it('ends with the error of a cut, and the source is cancelled', async () => {
      const { stream, asked } = webStream(['ab', 'c'], type);
      const { body, over } = follow(stream);
      const error = new Error('deadline');
      const unhandled = await unhandledDuring(async () => body?.abort(error));
      expect(unhandled).toEqual([]);
      expect(over()).toBe(1);
      expect(asked.cancelled).toBe(error);
      await expect(textOf(body?.data)).rejects.toBe(error);
    });

    it('keeps the last chunk of a source that closes with it', async () => {
      const source = {
        pull(controller: ReadableStreamController<Uint8Array>) {
          controller.enqueue(bytes('all') as never);
          controller.close();
        },
      };
      const stream = new ReadableStream({ ...source, type } as UnderlyingByteSource);
      const { body, over } = follow(stream);
      await settle();
      expect(over()).toBe(0);
      expect(await textOf(body?.data)).toBe('all');
      expect(over()).toBe(1);
    });
  });

  it('is over when the source of a web stream fails while nobody reads', async () => {
    let fail = (_error: unknown) => {};
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        fail = (error) => controller.error(error);
      },
    });
    const { body, over } = follow(stream);
    const error = new Error('lost');
    const unhandled = await unhandledDuring(async () => fail(error));
    expect(unhandled).toEqual([]);
    expect(over()).toBe(1);
    await expect(textOf(body?.data)).rejects.toBe(error);
  });

  it('reads a stream of bytes into a buffer of the reader, and leaves any other without that', async () => {
    const { body } = follow(webStream(['abc', 'd'], 'bytes').stream);
    const reader = webStreamOf(body).getReader({ mode: 'byob' });
    const { value } = await reader.read(new Uint8Array(2));
    expect(value).toEqual(bytes('ab'));
    expect((await reader.read(new Uint8Array(2))).value).toEqual(bytes('c'));
    expect((await reader.read(new Uint8Array(2))).value).toEqual(bytes('d'));
    expect((await reader.read(new Uint8Array(2))).done).toBe(true);
    const other = webStreamOf(follow(webStream(['abc']).stream).body);
    expect(() => other.getReader({ mode: 'byob' })).toThrow(TypeError);
  });

  it('leaves alone a web stream that is empty, as its headers say', () => {
    const { stream } = webStream([]);
    expect(followBody(stream, { 'content-length': '0' })).toBeUndefined();
    expect(stream.locked).toBe(false);
    expect(followBody(stream, { 'content-length': '10', length: '0' })).toBeDefined();
  });

  it('is awaited by nobody before somebody reads, and by nobody once it is read', async () => {
    const { body } = follow(webStream(['abc', 'def']).stream);
    expect([body?.isAwaited, body?.came, body?.read, body?.hasEnded]).toEqual([false, 0, 0, false]);
    await webStreamOf(body).getReader().read();
    expect([body?.isAwaited, body?.came, body?.read]).toEqual([false, 3, 3]);
  });

  it('needs nobody who is told of its end', async () => {
    for (const stream of [Readable.from(['abc']), webStream(['abc']).stream]) {
      const body = followBody(stream);
      expect(
        await textOf(Readable.from(body?.data as AsyncIterable<Uint8Array>).map((chunk) => Buffer.from(chunk))),
      ).toBe('abc');
      await settle();
      expect(body?.hasEnded).toBe(true);
    }
  });

  it('is cut once: what is over stays as it ended', async () => {
    const { body, over } = follow(webStream(['abc']).stream);
    expect(await textOf(body?.data)).toBe('abc');
    expect(() => body?.abort(new Error('late'))).not.toThrow();
    await settle();
    expect(over()).toBe(1);
  });

  it('leaves alone what somebody reads already', () => {
    const { stream } = webStream(['ab']);
    stream.getReader();
    expect(follow(stream).body).toBeUndefined();
  });
});
