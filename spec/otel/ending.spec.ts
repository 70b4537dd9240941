import { AxiosError } from 'axios';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../lib/call/outcome.ts';
import { describeEnding } from '../../lib/otel/ending.ts';

const answered = (status: unknown) => ({ status }) as never;
const rejected = (status: number): Outcome => ({
  error: new AxiosError('no', 'ERR_BAD_REQUEST', undefined, undefined, answered(status)),
});
const thrown = (fields: object): Outcome => ({ error: Object.assign(new Error('the key is sesame'), fields) });
const types = (outcome: Outcome) => describeEnding(outcome)['error.type'];

describe(describeEnding.name, () => {
  it.each<[Outcome, object]>([
    [{ response: answered(200) }, { 'http.response.status_code': 200 }],
    [{ response: answered(399) }, { 'http.response.status_code': 399 }],
    [{ response: answered(400) }, { 'http.response.status_code': 400, 'error.type': '400' }],
    [rejected(404), { 'http.response.status_code': 404, 'error.type': '404' }],
    [rejected(302), { 'http.response.status_code': 302, 'error.type': 'ERR_BAD_REQUEST' }],
    [{ response: answered('503') }, {}],
    [{ response: undefined as never }, {}],
    [{ error: undefined }, { 'error.type': '_OTHER' }],
  ])('of a send: a status from 400 is an error, and so is what axios rejects: %o', (outcome, attributes) => {
    expect(describeEnding(outcome)).toEqual(attributes);
  });

  it('of a call: an error is what its caller gets as one', () => {
    expect(describeEnding({ response: answered(404) }, false)).toEqual({ 'http.response.status_code': 404 });
  });

  it.each<[Outcome, string]>([
    [thrown({ code: 'ECONNRESET' }), 'ECONNRESET'],
    [thrown({ code: '_odd' }), '_odd'],
    [thrown({ code: `E${'X'.repeat(62)}` }), `E${'X'.repeat(62)}`],
    [thrown({ code: `E${'X'.repeat(63)}` }), 'Error'],
    [thrown({ code: 'E: sesame' }), 'Error'],
    [thrown({ code: 'sesame E' }), 'Error'],
    [thrown({ code: '9E' }), 'Error'],
    [thrown({ name: 'sesame!' }), '_OTHER'],
    [thrown({ name: 7 }), '_OTHER'],
    [{ error: 'sesame' }, '_OTHER'],
  ])('calls an error by its code, else by its class, where that is a short word: %o', (outcome, type) => {
    expect(types(outcome)).toBe(type);
  });
});
