import { createReadStream } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import NodeFormData from 'form-data';
import { describe, expect, it } from 'vitest';
import { isReplayable } from '../../lib/send/replayable.ts';

const bytes = new Uint8Array([1, 2, 3]);
const form = new FormData();
form.set('file', new Blob([bytes]), 'a.bin');

describe(isReplayable.name, () => {
  it.each<[string, unknown]>([
    ['no body', undefined],
    ['null', null],
    ['a string', 'text'],
    ['an empty string', ''],
    ['a number', 7],
    ['a plain object', { item: 1 }],
    ['an object without a prototype', Object.create(null)],
    ['an array', [1, 2]],
    ['a Buffer', Buffer.from(bytes)],
    ['an ArrayBuffer', bytes.buffer],
    ['a typed array', bytes],
    ['a DataView', new DataView(bytes.buffer)],
    ['a Blob', new Blob([bytes])],
    ['a File', new File([bytes], 'a.bin')],
    ['URLSearchParams', new URLSearchParams('a=1')],
    ['native FormData with a file', form],
  ])('holds for %s', (_what, body) => {
    expect(isReplayable(body)).toBe(true);
  });

  it.each<[string, () => unknown]>([
    ['a Readable', () => Readable.from(['a'])],
    ['a Duplex', () => new PassThrough()],
    ['a file stream', () => createReadStream('/dev/null')],
    ['a web stream', () => new Blob(['a']).stream()],
    ['a web stream of a browser whose streams are no async iterables', () => ({ getReader: () => ({}) })],
    ['the form-data package', () => new NodeFormData()],
    ['an async generator', () => (async function* () {})()],
    ['an async iterable', () => ({ [Symbol.asyncIterator]: async function* () {} })],
    ['a generator', () => (function* () {})()],
    ['an iterator', () => [1, 2].values()],
  ])('does not hold for %s', (_what, make) => {
    const body = make();
    expect(isReplayable(body)).toBe(false);
    if (body instanceof Readable) body.destroy();
  });

  it('does not hold for a stream that was read already', async () => {
    const stream = Readable.from(['a']);
    for await (const _chunk of stream);
    expect(isReplayable(stream)).toBe(false);
  });

  it('reads nothing', async () => {
    const stream = Readable.from(['a']);
    isReplayable(stream);
    expect(await stream.toArray()).toEqual(['a']);
  });
});
