import { AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';
import { copyOfConfig, copyOfHeaders, lend, lendSignalOf } from '../../lib/send/snapshot.ts';

const configOf = (config: object): InternalAxiosRequestConfig =>
  Object.assign(Object.create(null), { headers: new AxiosHeaders({ 'X-One': '1' }) }, config);

describe(copyOfHeaders.name, () => {
  it('gives the same headers of the same make', () => {
    const headers = new AxiosHeaders({ 'X-One': '1', Accept: 'text/plain' });
    const copy = copyOfHeaders(headers);
    expect(copy).toBeInstanceOf(AxiosHeaders);
    expect(copy.toJSON()).toEqual(headers.toJSON());
    expect(copy.get('x-one')).toBe('1');
  });

  it("does not write through to the caller's", () => {
    const headers = new AxiosHeaders({ 'X-One': '1' });
    const copy = copyOfHeaders(headers);
    copy.set('X-One', '2');
    copy.set('User-Agent', 'axios');
    expect(headers.toJSON()).toEqual({ 'X-One': '1' });
  });

  it('keeps the make of another copy of axios', () => {
    class Foreign {
      [name: string]: unknown;
    }
    const copy = copyOfHeaders(Object.assign(new Foreign(), { 'X-One': '1' }) as never);
    expect(copy).toBeInstanceOf(Foreign);
    expect(copy).toEqual({ 'X-One': '1' });
  });
});

describe(copyOfConfig.name, () => {
  it('keeps a null prototype and every field by reference', () => {
    const data = { pipe: () => {} };
    const config = configOf({ data, url: '/a' });
    const copy = copyOfConfig(config);
    expect(Object.getPrototypeOf(copy)).toBeNull();
    expect(copy.data).toBe(data);
    expect({ ...copy, headers: 0 }).toEqual({ ...config, headers: 0 });
  });

  it('has the `hasOwnProperty` that axios gives a config without a prototype, which shows nowhere', () => {
    const config = Object.defineProperty(configOf({ url: '/a' }), 'hasOwnProperty', { value: Object.hasOwn });
    const copy = copyOfConfig(config);
    expect(copy).toHaveProperty('hasOwnProperty', Object.hasOwn);
    expect(Object.keys(copy)).toEqual(['headers', 'url']);
    expect('hasOwnProperty' in copyOfConfig(configOf({}))).toBe(false);
  });

  it('has parameters of its own, where they are a plain object or URLSearchParams', () => {
    class Query {
      readonly page = 1;
    }
    const kept = new Query();
    for (const [params, isOwn] of [
      [{ page: 1 }, true],
      [new URLSearchParams('page=1'), true],
      [kept, false],
      [undefined, false],
    ] as const) {
      const copy = copyOfConfig(configOf({ params }));
      expect(copy.params).toEqual(params);
      expect(copy.params !== params).toBe(isOwn);
    }
  });

  it('shows nothing of what is written into it', () => {
    const config = configOf({ url: '/a' });
    const copy = copyOfConfig(config);
    copy.url = '/b';
    copy.headers.set('Authorization', 'Bearer x');
    expect(config.url).toBe('/a');
    expect(config.headers.toJSON()).toEqual({ 'X-One': '1' });
  });
});

describe(lend.name, () => {
  it('puts back what was there', () => {
    const config = configOf({ timeout: 5 });
    const putBack = lend(config, 'timeout', 1);
    expect(config.timeout).toBe(1);
    putBack();
    expect(config.timeout).toBe(5);
  });

  it('takes away what was not there', () => {
    const config = configOf({});
    const putBack = lend(config, 'timeout', 1);
    putBack();
    expect('timeout' in config).toBe(false);
  });

  it('keeps a field that was there as undefined', () => {
    const config = configOf({ signal: undefined });
    lend(config, 'signal', new AbortController().signal)();
    expect(Object.entries(config)).toContainEqual(['signal', undefined]);
  });
});

describe(lendSignalOf.name, () => {
  const made = new AbortController().signal;
  let reads = 0;
  const read = () => {
    reads += 1;
    return made;
  };

  it('makes the value when it is read, and takes it away again', () => {
    const config = configOf({});
    const putBack = lendSignalOf(config, read);
    expect(reads).toBe(0);
    expect(config.signal).toBe(made);
    expect(reads).toBe(1);
    expect(Object.keys(config)).toContain('signal');
    putBack();
    expect('signal' in config).toBe(false);
  });

  it('puts back what was there, just as it was', () => {
    const own = new AbortController().signal;
    const config = configOf({ signal: own });
    const before = Object.getOwnPropertyDescriptor(config, 'signal');
    lendSignalOf(config, read)();
    expect(Object.getOwnPropertyDescriptor(config, 'signal')).toEqual(before);
  });

  it('may be written, as any setting of a config', () => {
    const config = configOf({});
    const putBack = lendSignalOf(config, read);
    const own = new AbortController().signal;
    config.signal = own;
    expect(Object.getOwnPropertyDescriptor(config, 'signal')).toEqual({
      value: own,
      writable: true,
      enumerable: true,
      configurable: true,
    });
    putBack();
    expect('signal' in config).toBe(false);
  });
});
