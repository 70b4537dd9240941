import { AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';
import { IdempotencyKey } from '../../lib/idempotency/idempotency-key.ts';
import type { ResolvedIdempotency } from '../../lib/idempotency/options.ts';

const ON: ResolvedIdempotency = { header: 'Idempotency-Key', methods: ['post', 'patch'], renew: 'never' };

function counter(): () => string {
  let made = 0;
  return () => `key-${++made}`;
}

const configOf = (headers: object = {}, method?: string): InternalAxiosRequestConfig => ({
  ...(method !== undefined && { method }),
  headers: new AxiosHeaders({ ...headers }),
});

/** What the next send's header says. */
function written(key: IdempotencyKey, config: InternalAxiosRequestConfig, header = 'Idempotency-Key'): unknown {
  const headers = new AxiosHeaders(config.headers);
  key.write(headers);
  lastSent.set(key, headers);
  return headers.get(header) ?? undefined;
}

const lastSent = new WeakMap<IdempotencyKey, unknown>();
const survives = (key: IdempotencyKey, responded: boolean, config?: { headers: unknown }) =>
  key.survives(responded, lastSent.get(key) ?? config?.headers);

describe(IdempotencyKey.name, () => {
  describe('that is generated', () => {
    it('is made once per call, and repeated on every send', () => {
      const config = configOf({}, 'post');
      const key = new IdempotencyKey({ ...ON, generate: counter() }, config);
      expect(written(key, config)).toBe('key-1');
      expect(survives(key, true, config)).toBe(true);
      expect(written(key, config)).toBe('key-1');
      expect(survives(key, false, config)).toBe(true);
      expect(written(key, config)).toBe('key-1');
    });

    it('is a UUID of its own for every call by default', () => {
      const keys = [0, 1].map(() => written(new IdempotencyKey(ON, configOf({}, 'post')), configOf()));
      for (const key of keys) expect(key).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
      expect(keys[0]).not.toBe(keys[1]);
    });

    it('goes only with the methods of the policy, in any letter case', () => {
      const key = (method: string | undefined, methods = ON.methods) => {
        const config = configOf({}, method);
        return written(new IdempotencyKey({ ...ON, methods, generate: () => 'k' }, config), config);
      };
      expect(['post', 'POST', 'Patch'].map((method) => key(method))).toEqual(['k', 'k', 'k']);
      expect(['get', 'put', 'delete', undefined].map((method) => key(method))).toEqual(Array(4).fill(undefined));
      expect(key('post', ['PUT'])).toBeUndefined();
      expect(key('put', ['PUT'])).toBe('k');
      expect(key(undefined, ['get'])).toBe('k');
    });

    it('does not survive where none was made', () => {
      const config = configOf({}, 'get');
      const key = new IdempotencyKey(ON, config);
      written(key, config);
      expect(survives(key, false, config)).toBe(false);
    });

    it('goes under the name that the policy gives', () => {
      const config = configOf({}, 'post');
      const key = new IdempotencyKey({ ...ON, header: 'MS-RequestId', generate: counter() }, config);
      expect(written(key, config, 'ms-requestid')).toBe('key-1');
      expect(written(key, config)).toBeUndefined();
    });

    it("is made anew after any response with renew: 'after-response', and not before", () => {
      const config = configOf({}, 'post');
      const key = new IdempotencyKey({ ...ON, renew: 'after-response', generate: counter() }, config);
      expect(written(key, config)).toBe('key-1');
      expect(survives(key, false, config)).toBe(true);
      expect(written(key, config)).toBe('key-1');
      expect(survives(key, true, config)).toBe(false);
      expect(written(key, config)).toBe('key-2');
      expect(survives(key, false, config)).toBe(true);
      expect(written(key, config)).toBe('key-2');
    });

    it.each<[string, unknown]>([
      ['a line feed', 'a\nb'],
      ['a carriage return', 'a\rX-Admin: 1'],
      ['a NUL', 'a\0b'],
      ['a tab', 'a\tb'],
      ['an accent', 'clé'],
      ['nothing', ''],
      ['a blank', ' '],
      ['a blank before it, which HTTP strips', ' key'],
      ['a blank after it, which HTTP strips', 'key '],
      ['undefined', undefined],
      ['null', null],
      ['a number', 7],
      ['an object', {}],
      ['a promise', Promise.resolve('key')],
    ])('is refused if it is, or has in it, %s', (_what, value) => {
      const config = configOf({}, 'post');
      const key = new IdempotencyKey({ ...ON, generate: () => value as string }, config);
      expect(() => written(key, config)).toThrow(TypeError);
      expect(() => written(key, config)).toThrow('idempotency.generate');
    });

    it.each(['k', '"8e03978e-40d5-43dd-bc93-6894a57f9324"', 'a b', '!~'])('may be any printable ASCII: %s', (value) => {
      const config = configOf({}, 'post');
      expect(written(new IdempotencyKey({ ...ON, generate: () => value }, config), config)).toBe(value);
    });
  });

  describe('that something else changed on the way', () => {
    it('does not survive: the next send would carry another', () => {
      const config = configOf({}, 'post');
      const key = new IdempotencyKey({ ...ON, generate: counter() }, config);
      written(key, config);
      expect(key.survives(false, new AxiosHeaders({ 'Idempotency-Key': 'signed-1' }))).toBe(false);
      expect(key.survives(false, new AxiosHeaders())).toBe(false);
    });
  });

  describe("that is the caller's", () => {
    it.each(['Idempotency-Key', 'idempotency-key', 'IDEMPOTENCY-KEY'])('wins, spelled %s', (name) => {
      const config = configOf({ [name]: 'mine' }, 'post');
      const generate = () => {
        throw new Error('generated although the caller has set one');
      };
      const key = new IdempotencyKey({ ...ON, generate }, config);
      expect(written(key, config)).toBe('mine');
      expect(survives(key, true, config)).toBe(true);
    });

    it('survives a response also where a generated one would be renewed', () => {
      const config = configOf({ 'idempotency-key': 'mine' }, 'post');
      const key = new IdempotencyKey({ ...ON, renew: 'after-response' }, config);
      expect(survives(key, true, config)).toBe(true);
      expect(written(key, config)).toBe('mine');
    });

    it('counts also where the policy makes none, and whatever the method', () => {
      const config = configOf({ 'Idempotency-Key': 'mine' }, 'lock');
      expect(survives(new IdempotencyKey(false, config), true, config)).toBe(true);
      expect(survives(new IdempotencyKey(ON, config), true, config)).toBe(true);
    });

    it('counts only under the name that the policy gives', () => {
      const config = configOf({ 'Idempotency-Key': 'mine' }, 'lock');
      expect(survives(new IdempotencyKey({ ...ON, header: 'MS-RequestId' }, config), true, config)).toBe(false);
    });

    it.each(['', ' '])('does not count if it is blank, since that names nothing: %j', (blank) => {
      const config = configOf({ 'Idempotency-Key': blank }, 'post');
      expect(survives(new IdempotencyKey(false, config), false, config)).toBe(false);
      expect(written(new IdempotencyKey({ ...ON, generate: () => 'made' }, config), config)).toBe('made');
    });

    it('does not count if it is false, which keeps axios from sending one', () => {
      const config = configOf({ 'Idempotency-Key': false }, 'post');
      const key = new IdempotencyKey({ ...ON, generate: counter() }, config);
      expect(written(key, config)).toBe(false);
      expect(survives(key, false, config)).toBe(false);
    });
  });

  it('is none at all where the policy makes none and the caller has set none', () => {
    const config = configOf({}, 'post');
    const key = new IdempotencyKey(false, config);
    expect(written(key, config)).toBeUndefined();
    expect(survives(key, false, config)).toBe(false);
  });
});
