import { AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';
import type { ResolvedIdempotency } from '../../lib/idempotency/options.ts';
import { IdempotencyStation, keepsKey } from '../../lib/idempotency/station.ts';
import type { CallUnderWay } from '../../lib/loop/call-under-way.ts';
import { underWay } from '../support/under-way.ts';

const ON: ResolvedIdempotency = { header: 'Idempotency-Key', methods: ['post', 'patch'], renew: 'never' };

function counter(): () => string {
  let made = 0;
  return () => `key-${++made}`;
}

const configOf = (headers: object = {}, method?: string): InternalAxiosRequestConfig => ({
  ...(method !== undefined && { method }),
  headers: new AxiosHeaders({ ...headers }),
});

/** The key of one call, from send to send. */
class KeyOfCall {
  readonly #station: IdempotencyStation | undefined;
  readonly #header: string;
  readonly #call: CallUnderWay;
  #sent: unknown;

  constructor(options: false | ResolvedIdempotency, config: InternalAxiosRequestConfig) {
    this.#station = options === false ? undefined : new IdempotencyStation(options);
    this.#header = (options || ON).header;
    this.#call = underWay(config).call;
    this.#sent = config.headers;
  }

  /** What the next send's header says. */
  written(header = 'Idempotency-Key'): unknown {
    const headers = new AxiosHeaders(this.#call.config.headers);
    this.#station?.stamp(this.#call, { headers });
    this.#sent = headers;
    return headers.get(header) ?? undefined;
  }

  /** Whether the send after an answer, or after none, carries the same key as went out. */
  survives(responded: boolean, sent = this.#sent): boolean {
    if (responded) this.#station?.arrive(this.#call);
    return keepsKey(this.#call, this.#header, sent);
  }
}

describe(IdempotencyStation.name, () => {
  it('is made where the server knows it, and nowhere else', () => {
    const when = ({ url }: InternalAxiosRequestConfig) => url === '/tickets';
    const [known, unknown] = ['/tickets', '/users'].map(
      (url) => new KeyOfCall({ ...ON, when, generate: counter() }, { ...configOf({}, 'post'), url }),
    );
    expect(known?.written()).toBe('key-1');
    expect(known?.survives(false)).toBe(true);
    expect(unknown?.written()).toBeUndefined();
    expect(unknown?.survives(false)).toBe(false);
  });

  describe('that is generated', () => {
    it('is made once per call, and repeated on every send', () => {
      const config = configOf({}, 'post');
      const key = new KeyOfCall({ ...ON, generate: counter() }, config);
      expect(key.written()).toBe('key-1');
      expect(key.survives(true)).toBe(true);
      expect(key.written()).toBe('key-1');
      expect(key.survives(false)).toBe(true);
      expect(key.written()).toBe('key-1');
    });

    it('is a UUID of its own for every call by default', () => {
      const keys = [0, 1].map(() => new KeyOfCall(ON, configOf({}, 'post')).written());
      for (const key of keys) expect(key).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
      expect(keys[0]).not.toBe(keys[1]);
    });

    it('goes only with the methods of the policy, in any letter case', () => {
      const key = (method: string | undefined, methods = ON.methods) => {
        const config = configOf({}, method);
        return new KeyOfCall({ ...ON, methods, generate: () => 'k' }, config).written();
      };
      expect(['post', 'POST', 'Patch'].map((method) => key(method))).toEqual(['k', 'k', 'k']);
      expect(['get', 'put', 'delete', undefined].map((method) => key(method))).toEqual(Array(4).fill(undefined));
      expect(key('post', ['PUT'])).toBeUndefined();
      expect(key('put', ['PUT'])).toBe('k');
      expect(key(undefined, ['get'])).toBe('k');
    });

    it('does not survive where none was made', () => {
      const config = configOf({}, 'get');
      const key = new KeyOfCall(ON, config);
      key.written();
      expect(key.survives(false)).toBe(false);
    });

    it('goes under the name that the policy gives', () => {
      const config = configOf({}, 'post');
      const key = new KeyOfCall({ ...ON, header: 'MS-RequestId', generate: counter() }, config);
      expect(key.written('ms-requestid')).toBe('key-1');
      expect(key.written()).toBeUndefined();
    });

    it("is made anew after any response with renew: 'after-response', and not before", () => {
      const config = configOf({}, 'post');
      const key = new KeyOfCall({ ...ON, renew: 'after-response', generate: counter() }, config);
      expect(key.written()).toBe('key-1');
      expect(key.survives(false)).toBe(true);
      expect(key.written()).toBe('key-1');
      expect(key.survives(true)).toBe(false);
      expect(key.written()).toBe('key-2');
      expect(key.survives(false)).toBe(true);
      expect(key.written()).toBe('key-2');
    });

    it("stays with renew: 'after-response' where a send that carried it was lost, and may have been applied", () => {
      const { call } = underWay(configOf({}, 'post'));
      const station = new IdempotencyStation({ ...ON, renew: 'after-response', generate: counter() });
      const written = () => {
        const headers = new AxiosHeaders();
        station.stamp(call, { headers });
        return headers.get('Idempotency-Key');
      };
      const send = { startedAt: 0, durationMs: 1, queuedMs: 0, verdict: 'transient', decision: 'retry' } as const;
      expect(written()).toBe('key-1');
      call.addSend({ ...send, status: 429 });
      station.arrive(call);
      expect(written()).toBe('key-2');
      call.addSend(send);
      call.addSend({ ...send, status: 429 });
      station.arrive(call);
      expect(written()).toBe('key-2');
    });

    it('is written no more once the sends are of another request', () => {
      for (const renew of ['never', 'after-response'] as const) {
        const { call } = underWay(configOf({}, 'post'));
        const station = new IdempotencyStation({ ...ON, renew, generate: counter() });
        call.idempotencyKey = null;
        station.arrive(call);
        const headers = new AxiosHeaders();
        station.stamp(call, { headers });
        expect(headers.get('Idempotency-Key')).toBeUndefined();
        expect(keepsKey(call, 'Idempotency-Key', headers)).toBe(false);
      }
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
      const key = new KeyOfCall({ ...ON, generate: () => value as string }, config);
      expect(() => key.written()).toThrow(TypeError);
      expect(() => key.written()).toThrow('idempotency.generate');
    });

    it.each(['k', '"8e03978e-40d5-43dd-bc93-6894a57f9324"', 'a b', '!~'])('may be any printable ASCII: %s', (value) => {
      const config = configOf({}, 'post');
      expect(new KeyOfCall({ ...ON, generate: () => value }, config).written()).toBe(value);
    });
  });

  describe('that something else changed on the way', () => {
    it('does not survive: the next send would carry another', () => {
      const config = configOf({}, 'post');
      const key = new KeyOfCall({ ...ON, generate: counter() }, config);
      key.written();
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
      const key = new KeyOfCall({ ...ON, generate }, config);
      expect(key.written()).toBe('mine');
      expect(key.survives(true)).toBe(true);
    });

    it('survives a response also where a generated one would be renewed', () => {
      const config = configOf({ 'idempotency-key': 'mine' }, 'post');
      const key = new KeyOfCall({ ...ON, renew: 'after-response' }, config);
      expect(key.survives(true)).toBe(true);
      expect(key.written()).toBe('mine');
    });

    it('counts also in headers that are a plain object', () => {
      const { call } = underWay({ method: 'post', headers: { 'Idempotency-Key': 'mine' } as never });
      expect(keepsKey(call, 'Idempotency-Key', { 'idempotency-key': 'mine' })).toBe(true);
    });

    it('counts also where the policy makes none, and whatever the method', () => {
      const config = configOf({ 'Idempotency-Key': 'mine' }, 'lock');
      expect(new KeyOfCall(false, config).survives(true)).toBe(true);
      expect(new KeyOfCall(ON, config).survives(true)).toBe(true);
    });

    it('counts only under the name that the policy gives', () => {
      const config = configOf({ 'Idempotency-Key': 'mine' }, 'lock');
      expect(new KeyOfCall({ ...ON, header: 'MS-RequestId' }, config).survives(true)).toBe(false);
    });

    it.each(['', ' '])('does not count if it is blank, since that names nothing: %j', (blank) => {
      const config = configOf({ 'Idempotency-Key': blank }, 'post');
      expect(new KeyOfCall(false, config).survives(false)).toBe(false);
      expect(new KeyOfCall({ ...ON, generate: () => 'made' }, config).written()).toBe('made');
    });

    it('does not count if it is false, which keeps axios from sending one', () => {
      const config = configOf({ 'Idempotency-Key': false }, 'post');
      const key = new KeyOfCall({ ...ON, generate: counter() }, config);
      expect(key.written()).toBe(false);
      expect(key.survives(false)).toBe(false);
    });
  });

  it('is none at all where the policy makes none and the caller has set none', () => {
    const config = configOf({}, 'post');
    const key = new KeyOfCall(false, config);
    expect(key.written()).toBeUndefined();
    expect(key.survives(false)).toBe(false);
  });
});
