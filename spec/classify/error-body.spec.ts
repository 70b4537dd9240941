import { AxiosError } from 'axios';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../lib/call/outcome.ts';
import { apiErrorOf, shownErrorOf } from '../../lib/classify/error-body.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const NESTED = '{"error":{"code":"Busy","message":"later"}}';
const FLAT = '{"code":"DE","description":"Germany"}';
const responseOf = (status: number, data: unknown, headers: object = JSON_TYPE) => ({ status, headers, data }) as never;
const resolved = (status: number, data: unknown, headers?: object): Outcome => ({
  response: responseOf(status, data, headers),
});
const rejected = (status: number, data: unknown): Outcome => ({
  error: new AxiosError('no', undefined, undefined, undefined, responseOf(status, data)),
});

describe(apiErrorOf.name, () => {
  it('reads the body of an answer from 400 up, whether axios resolved it or rejected with it', () => {
    for (const outcome of [resolved(400, NESTED), rejected(400, NESTED), rejected(503, NESTED)]) {
      expect(apiErrorOf(outcome, undefined)).toMatchObject({ code: 'Busy' });
    }
    expect(apiErrorOf(resolved(399, NESTED), undefined)).toBeUndefined();
  });

  it('reads the text that the loop has read of a stream', () => {
    expect(apiErrorOf(rejected(503, {}), NESTED)).toMatchObject({ code: 'Busy' });
  });

  it('is none without an answer', () => {
    expect(apiErrorOf(undefined, NESTED)).toBeUndefined();
    expect(apiErrorOf({ error: new Error('lost') }, NESTED)).toBeUndefined();
  });
});

describe(shownErrorOf.name, () => {
  it('reads the body of a failed answer as it is, or as the loop has read it', () => {
    expect(shownErrorOf(rejected(400, FLAT), undefined)).toMatchObject({ code: 'DE' });
    expect(shownErrorOf(rejected(503, {}), NESTED)).toMatchObject({ code: 'Busy' });
  });

  it('reads that of a 200 too, but not where it may be a country', () => {
    expect(shownErrorOf(resolved(200, NESTED), undefined)).toMatchObject({ code: 'Busy' });
    expect(shownErrorOf(resolved(200, FLAT), undefined)).toBeUndefined();
    expect(shownErrorOf(resolved(200, '{"code":"7","description":"no","source":"FD"}'), undefined)).toMatchObject({
      code: '7',
    });
    expect(shownErrorOf(resolved(200, '[1]'), undefined)).toBeUndefined();
  });

  it('is none without an answer', () => {
    expect(shownErrorOf({ error: new Error('lost') }, undefined)).toBeUndefined();
  });
});
