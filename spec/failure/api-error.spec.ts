import { Readable } from 'node:stream';
import vm from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mostSpecific, readApiError } from '../../lib/failure/api-error.ts';

/** The example of "Partner API REST error codes", to the letter. */
const nested = `{
  "error": {
    "code": "unAuthorized",
    "message": "Caller is not authorized to access the resource.",
    "target": "referral",
    "innerError": {
      "code": "innerErrorCode",
      "message": "Unauthorized referral access"
    }
  }
}`;

/** The schema of the page's older edition, with its `<string>`s filled in. */
const flat = `{
  "code": "800002",
  "description": "The request is invalid.",
  "data": [

  ],
  "source": "PartnerFD"
}`;

const legacy = {
  code: '2000',
  description: 'The request is invalid.',
  data: { customerId: 'must be a GUID' },
  Source: 'PartnerFD',
  other_errors: [{ error_code: '2001', message: 'Too short.', parameters: { field: 'name' } }],
};

const gateway = { statusCode: 429, message: 'Rate limit is exceeded. Try again in 57 seconds.' };

/** The example of RFC 9457 §3. */
const problem = {
  type: 'https://example.com/probs/out-of-credit',
  title: 'You do not have enough credit.',
  detail: 'Your current balance is 30, but that costs 50.',
  instance: '/account/12345/msgs/abc',
  balance: 30,
};

const nestedLevels = (depth: number): string =>
  `{"error":${'{"code":"c","message":"m","innerError":'.repeat(depth)}null${'}'.repeat(depth)}}`;

describe(readApiError.name, () => {
  describe('the shapes', () => {
    it('reads the nested error of the Partner API with its inner error', () => {
      expect(readApiError(nested, 'application/json; charset=utf-8')).toEqual({
        shape: 'nested',
        code: 'unAuthorized',
        message: 'Caller is not authorized to access the resource.',
        target: 'referral',
        details: [],
        inner: {
          shape: 'nested',
          code: 'innerErrorCode',
          message: 'Unauthorized referral access',
          details: [],
          raw: JSON.parse(nested).error.innerError,
        },
        raw: JSON.parse(nested).error,
      });
    });

    it('reads the flat error of the older Partner API', () => {
      expect(readApiError(flat, 'application/json')).toEqual({
        shape: 'flat',
        code: '800002',
        message: 'The request is invalid.',
        source: 'PartnerFD',
        details: [],
        raw: JSON.parse(flat),
      });
    });

    it('hands out what a flat error lists as it was sent', () => {
      const details = ['CustomerId', { code: 1 }];
      expect(readApiError({ ...JSON.parse(flat), data: details })?.details).toEqual(details);
    });

    it('reads the legacy error: a dictionary, then the other errors', () => {
      expect(readApiError(legacy)).toEqual({
        shape: 'legacy',
        code: '2000',
        message: 'The request is invalid.',
        source: 'PartnerFD',
        details: [legacy.data, ...legacy.other_errors],
        raw: legacy,
      });
    });

    it.each([
      ['a dictionary as data', { code: 'c', description: 'd', data: { a: 1 }, source: 's' }],
      ['a capital Source', { code: 'c', description: 'd', Source: 's' }],
      ['other_errors', { error_code: 'c', message: 'd', other_errors: [] }],
    ])('knows the legacy shape by %s alone', (_mark, body) => {
      expect(readApiError(body)).toMatchObject({ shape: 'legacy', code: 'c', message: 'd' });
    });

    it("reads the gateway's error with its status as the code", () => {
      expect(readApiError(gateway)).toEqual({
        shape: 'gateway',
        code: '429',
        message: gateway.message,
        details: [],
        raw: gateway,
      });
    });

    it('reads problem details that are announced', () => {
      expect(readApiError(JSON.stringify(problem), 'Application/Problem+JSON;charset=utf-8')).toEqual({
        shape: 'problem',
        code: problem.type,
        message: problem.detail,
        target: problem.instance,
        details: [],
        raw: problem,
      });
    });

    it('reads problem details that are not announced if they name a failed status', () => {
      expect(readApiError(problem)).toBeUndefined();
      expect(readApiError({ ...problem, status: 403 })).toMatchObject({ shape: 'problem', code: problem.type });
    });

    it('takes the status for the code of a problem that is about:blank or untyped', () => {
      expect(readApiError({ type: 'about:blank', title: 'Not Found', status: 404 })?.code).toBe('404');
      expect(readApiError({ title: 'Not Found', status: 404 })?.code).toBe('404');
      expect(readApiError({ title: 'Not Found' }, 'application/problem+json')?.code).toBe('about:blank');
    });

    it.each([{ type: 'urn:x' }, { title: 't' }, { detail: 'd' }, { status: 404 }])(
      'needs no more than one member of a problem that is announced: %j',
      (body) => {
        expect(readApiError(body, ' application/problem+json ; charset=utf-8')?.shape).toBe('problem');
        expect(readApiError(body)).toBeUndefined();
      },
    );

    it('takes nothing for a problem that has no member of one, announced or not', () => {
      expect(readApiError({ status: 200, instance: '/x' }, 'application/problem+json')).toBeUndefined();
    });

    it.each([400, 599])('takes a status of %i for one that failed', (status) => {
      expect(readApiError({ statusCode: status, message: 'm' })?.shape).toBe('gateway');
      expect(readApiError({ status, title: 't' })?.shape).toBe('problem');
    });

    it('hands out the errors of a validation problem', () => {
      const errors = [{ detail: 'must be a positive integer', pointer: '#/age' }];
      expect(readApiError({ title: 'Invalid', status: 422, errors })?.details).toEqual(errors);
    });

    it('reads the nested error of an announced problem that has no member of RFC 9457', () => {
      expect(readApiError(nested, 'application/problem+json')?.shape).toBe('nested');
    });
  });

  describe('what is no error', () => {
    it.each([
      [{}],
      [[]],
      [[{ code: 'c', description: 'd', source: 's' }]],
      [{ code: 'SKU-1' }],
      [{ code: 'c', message: 'm' }],
      [{ code: 'SKU-1', description: 'A shoe', price: 30 }],
      [{ code: '200', description: 'OK', data: { id: 1 } }],
      [{ code: '', description: 'd', source: 's' }],
      [{ code: 'c', description: '', source: 's' }],
      [{ description: 'd', Source: 's' }],
      [{ code: 'c', Source: 's' }],
      [{ code: 'c', description: 'd', data: [], price: 30 }],
      [{ statusCode: 399, message: 'm' }],
      [{ statusCode: 200, message: 'OK' }],
      [{ statusCode: 429 }],
      [{ statusCode: 4.29e2 + 0.5, message: 'm' }],
      [{ statusCode: 600, message: 'm' }],
      [{ status: 200, title: 'OK' }],
      [{ status: 'active', title: 'A customer' }],
      [{ type: 'book', title: 'Momo', detail: '…' }],
      [{ error: null }],
      [{ error: false, data: 1 }],
      [{ error: 'not a word of anybody' }],
      [{ error: 'x', ok: true }],
      [{ error: {} }],
      [{ error: ['code'] }],
      [{ error: { innerError: { timestamp: 1 } } }],
    ])('%j', (body) => {
      expect(readApiError(body)).toBeUndefined();
      expect(readApiError(JSON.stringify(body), 'application/json')).toBeUndefined();
    });

    it('a stream, a Blob, a class instance, a function or a primitive', () => {
      class Body {
        error = { code: 'c', message: 'm' };
      }
      const stream = Object.assign(Readable.from([]), { error: { code: 'c', message: 'm' } });
      for (const body of [stream, new Blob([nested]), new Body(), () => nested, null, undefined, 429, true, 1n, NaN]) {
        expect(readApiError(body)).toBeUndefined();
      }
    });

    it('a text that is not one JSON object', () => {
      for (const body of ['', ' ', 'null', '"x"', '[]', '{', '{"error":', `${flat}x`, '<html></html>', '\0']) {
        expect(readApiError(body, 'application/json')).toBeUndefined();
      }
    });
  });

  describe('the content type', () => {
    it.each(['text/html', 'text/plain', 'application/octet-stream', 'application/xml'])('%s is not parsed', (type) => {
      expect(readApiError(flat, type)).toBeUndefined();
      expect(readApiError(new TextEncoder().encode(flat), type)).toBeUndefined();
    });

    it.each(['application/json', 'APPLICATION/JSON', 'text/json', 'application/vnd.api+json; v=1', '', undefined])(
      '%s is parsed',
      (type) => {
        expect(readApiError(flat, type)?.code).toBe('800002');
      },
    );

    it('does not matter for a body that was parsed already', () => {
      expect(readApiError(gateway, 'text/html')?.code).toBe('429');
    });

    it('counts as absent if it is no string', () => {
      expect(readApiError(flat, ['text/html'] as unknown as string)?.code).toBe('800002');
    });
  });

  describe('encodings', () => {
    const bytes = new TextEncoder().encode(flat);
    const padded = new Uint8Array([0, ...bytes, 0]).buffer;
    const foreign: ArrayBuffer = vm.runInNewContext('(bytes) => Uint8Array.from(bytes).buffer')([...bytes]);

    it.each<[string, unknown]>([
      ['a Buffer', Buffer.from(flat)],
      ['a Uint8Array', bytes],
      ['an ArrayBuffer', bytes.slice().buffer],
      ["another realm's ArrayBuffer", foreign],
      ['a DataView of a part', new DataView(padded, 1, bytes.length)],
      ['text behind a byte order mark', `\ufeff${flat}`],
      ['bytes behind a byte order mark', Buffer.from(`\ufeff${flat}`)],
      ['text with white space around', `\r\n ${flat}\n`],
    ])('reads %s', (_name, body) => {
      expect(readApiError(body)?.code).toBe('800002');
    });

    it('reads UTF-8', () => {
      const body = Buffer.from(JSON.stringify({ statusCode: 503, message: 'Später – 後で' }));
      expect(readApiError(body)?.message).toBe('Später – 後で');
    });

    it('reads objects of another realm and objects without a prototype', () => {
      expect(readApiError(vm.runInNewContext(`(${nested})`))?.inner?.code).toBe('innerErrorCode');
      expect(readApiError(Object.assign(Object.create(null), gateway))?.code).toBe('429');
    });

    it('parses up to 1 MiB', () => {
      const limit = 1_048_576;
      const fits = flat.padEnd(limit);
      expect(readApiError(fits)?.code).toBe('800002');
      expect(readApiError(`${fits} `)).toBeUndefined();
      expect(readApiError(Buffer.from(fits))?.code).toBe('800002');
      expect(readApiError(Buffer.from(`${fits} `))).toBeUndefined();
      expect(readApiError(new TextEncoder().encode(fits).buffer)?.code).toBe('800002');
      expect(readApiError(new TextEncoder().encode(`${fits} `).buffer)).toBeUndefined();
      expect(readApiError(flat.padEnd(10_000_000))).toBeUndefined();
    });
  });

  describe('wrong types', () => {
    it('reads a number as its digits', () => {
      expect(readApiError({ error: { code: 800002, message: 5 } })).toMatchObject({ code: '800002', message: '5' });
      expect(readApiError({ statusCode: '429', message: 'm' })?.code).toBe('429');
      expect(readApiError({ error: { code: Number.NaN, message: 'm' } })?.code).toBe('');
    });

    it("reads OData's message and no other object", () => {
      const message = (value: unknown) => readApiError({ error: { code: 'c', message: value } })?.message;
      expect(message({ lang: 'en-US', value: 'Not found.' })).toBe('Not found.');
      expect([message({ text: 'm' }), message(['m']), message(null), message(true)]).toEqual(['', '', '', '']);
    });

    it('keeps a message that has no code', () => {
      expect(readApiError({ error: { message: 'Quota exceeded.' } })).toMatchObject({
        code: '',
        message: 'Quota exceeded.',
      });
    });

    it('takes data that is no list for a list of one', () => {
      expect(readApiError({ ...JSON.parse(flat), data: 'CustomerId' })?.details).toEqual(['CustomerId']);
      expect(readApiError({ ...JSON.parse(flat), data: null })?.details).toEqual([]);
    });

    it('takes a code and a description with nothing else but a list for a flat error', () => {
      expect(readApiError({ code: '900421', description: 'MFA required' })?.shape).toBe('flat');
      expect(readApiError({ code: '900421', description: 'MFA required', data: [] })?.shape).toBe('flat');
    });
  });

  describe('inner errors', () => {
    it('passes over a level without a code', () => {
      const innerError = { timestamp: 1, innererror: { code: 'deepest', message: 'm' } };
      expect(readApiError({ error: { code: 'c', message: 'm', innerError } })?.inner?.code).toBe('deepest');
      expect(readApiError({ error: { code: 'c', message: 'm', innerError: { message: 'm' } } })?.inner).toBeUndefined();
    });

    it.each([100, 20_000, 100_000])('reads 32 levels of %i', (depth) => {
      const text = nestedLevels(depth);
      // Beyond 1 MiB no text is parsed; an object of the same depth is read none the less.
      const body = text.length <= 1_048_576 ? text : nestedObject(depth);
      expect(levelsOf(readApiError(body))).toBe(32);
    });

    it('does not go round in a circle', () => {
      const error: Record<string, unknown> = { code: 'c', message: 'm' };
      error.innerError = { code: 'd', message: 'm', innerError: error };
      expect(levelsOf(readApiError({ error }))).toBe(2);
      error.innerError = error;
      expect(levelsOf(readApiError({ error }))).toBe(1);
    });
  });

  describe('hostile bodies', () => {
    it('survives getters and proxies that throw', () => {
      const fail = () => {
        throw new Error('mine');
      };
      const traps = { get: fail, ownKeys: fail, getPrototypeOf: fail, has: fail, getOwnPropertyDescriptor: fail };
      const revoked = Proxy.revocable({}, {});
      revoked.revoke();
      for (const body of [
        Object.defineProperty({}, 'error', { get: fail, enumerable: true }),
        { error: Object.defineProperty({ message: 'm' }, 'code', { get: fail }) },
        { error: { code: 'c', innerError: new Proxy({}, traps) } },
        new Proxy({}, traps),
        new Proxy({}, { get: fail }),
        new Proxy([], traps),
        revoked.proxy,
        { [Symbol.toStringTag]: 'ArrayBuffer' },
      ]) {
        expect(readApiError(body)).toBeUndefined();
      }
    });

    it('takes keys of prototypes for what they are: keys', () => {
      const text =
        '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"statusCode":500,"message":"m"}';
      expect(readApiError(text)).toMatchObject({ shape: 'gateway', code: '500' });
      expect(readApiError('{"error":{"__proto__":{"code":"c","message":"m"}}}')).toBeUndefined();
      expect(({} as { polluted?: number }).polluted).toBeUndefined();
    });

    it('never throws and never touches Object.prototype, whatever the JSON', () => {
      const before = Reflect.ownKeys(Object.prototype);
      const names = [
        'error',
        'code',
        'message',
        'description',
        'data',
        'source',
        'Source',
        'other_errors',
        'statusCode',
      ];
      const more = ['innerError', 'status', 'title', 'type', 'detail', 'value', '__proto__', 'constructor', 'toString'];
      const { json } = fc.letrec<{ json: unknown }>((tie) => ({
        json: fc.oneof(
          { maxDepth: 5 },
          fc.constantFrom(null, true, '', 'x', 0, 404, 429.5, '503'),
          fc.array(tie('json'), { maxLength: 3 }),
          fc.dictionary(fc.constantFrom(...names, ...more), tie('json'), { maxKeys: 5 }),
        ),
      }));
      fc.assert(
        fc.property(json, fc.constantFrom(undefined, 'application/json', 'application/problem+json'), (value, type) => {
          const text = JSON.stringify(value);
          const error = readApiError(text, type);
          expect(error).toEqual(readApiError(value, type));
          expect(JSON.stringify(value)).toBe(text);
          if (error !== undefined) {
            expect(error).toMatchObject({ code: expect.any(String), message: expect.any(String) });
            expect(Array.isArray(error.details)).toBe(true);
          }
        }),
        { numRuns: 500 },
      );
      fc.assert(fc.property(fc.anything({ withNullPrototype: true }), (value) => void readApiError(value)));
      fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void readApiError(`{${text}`)));
      expect(Reflect.ownKeys(Object.prototype)).toEqual(before);
    });
  });
});

describe(mostSpecific.name, () => {
  it('gives the innermost error', () => {
    const error = readApiError(nested);
    expect(error && mostSpecific(error).code).toBe('innerErrorCode');
  });

  it('gives the error itself if it has no inner one', () => {
    const error = readApiError(flat);
    expect(error && mostSpecific(error)).toBe(error);
  });
});

function nestedObject(depth: number): unknown {
  let error: unknown = null;
  for (let level = 0; level < depth; level += 1) error = { code: 'c', message: 'm', innerError: error };
  return { error };
}

function levelsOf(error: ReturnType<typeof readApiError>): number {
  let levels = 0;
  for (let level = error; level !== undefined; level = level.inner) levels += 1;
  return levels;
}
