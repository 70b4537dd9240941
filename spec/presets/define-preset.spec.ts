import axios from 'axios';
import { attach, InvalidPolicyError, mergePolicies } from 'axios-holdfast';
import { definePreset, ENVOY_RULES, type PresetOptions, serverSays } from 'axios-holdfast/presets';
import { describe, expect, it } from 'vitest';
import type { Family } from '../../examples/stand-in/family.ts';
import { resolve } from '../support/policies.ts';
import { conversations } from './conversation.ts';

const source = 'https://acme.example/docs';
const nobody: Family = { quotas: [], serve: () => ({ status: 200, body: {} }), calls: [] };
const post = { method: 'post', data: {} };

const acme = definePreset({
  name: 'acme',
  statuses: { 500: 'retry' },
  rules: [
    { code: 'NO_CREDIT', means: 'exhausted', why: 'the credit is used up', source },
    { status: 403, code: 'RATE', means: 'throttled', source },
    { status: 409, message: /locked/, means: 'refused', waitMs: 300, source },
    { status: 409, method: ['GET', 'DELETE'], means: 'retry', source },
    { status: 418, header: { 'x-left': '0' }, means: 'throttled', waitMs: ({ call }) => 1_000 * call.sends, source },
    { status: 200, when: ({ response }) => String(response?.data).includes('Err'), code: '17', means: 'fail', source },
    { status: 204, header: { 'retry-after': true }, means: 'pending', source },
    { code: 'OUTER', means: 'throttled', source },
    { code: 'INNER', means: 'retry', waitMs: 40, source },
    ...serverSays('x-acme-retry', source),
    ...ENVOY_RULES,
  ],
  waits: [({ data }) => data.wait, ({ api }) => /again in (\S+?)\.?$/.exec(api?.message ?? '')?.[1]],
  readError: (body) => (body?.Err ? { code: String(body.Err.No), message: body.Err.Text } : undefined),
  ids: ['x-acme-id', 'ticket'],
  source,
});

const ruled = (rule: object) => ({ rules: [{ means: 'retry', source, ...rule }] });
const nested = (code: string, message = 'm', innerError?: object) => ({ error: { code, message, innerError } });

describe(definePreset, () => {
  conversations(nobody, acme, [
    {
      fact: 'a quota that is gone ends the call',
      source,
      answers: [{ status: 402, body: nested('NO_CREDIT') }],
      sends: 1,
      kind: 'throttled',
      says: '402 throttled for good (the credit is used up), not retryable; the server says NO_CREDIT: "m"',
    },
    {
      fact: 'a code decides with its status',
      source,
      call: post,
      answers: [{ status: 403, body: nested('RATE') }],
      means: 'throttled',
      pauses: false,
    },
    {
      fact: 'and only with that',
      source,
      answers: [{ status: 404, body: nested('RATE') }],
      sends: 1,
      kind: 'rejected',
    },
    {
      fact: 'a message decides; what was refused is repeated whatever the method',
      source,
      call: post,
      answers: [{ status: 409, body: nested('C', 'is locked') }],
      waits: [300],
    },
    { fact: 'a method decides', source, answers: [{ status: 409, body: nested('C') }], means: 'transient' },
    {
      fact: 'of another method nothing is said',
      source,
      call: { ...post, method: 'put' },
      answers: [{ status: 409, body: nested('C') }],
      sends: 1,
      kind: 'rejected',
    },
    {
      fact: 'a header decides, and a wait may grow',
      source,
      answers: [
        { status: 418, headers: { 'x-left': '0' } },
        { status: 418, headers: { 'x-left': '0' } },
      ],
      waits: [1_000, 2_000],
    },
    {
      fact: 'a header of another value does not',
      source,
      answers: [{ status: 418, headers: { 'x-left': '1' } }],
      sends: 1,
      kind: 'rejected',
    },
    {
      fact: 'an error in a 200 rejects, in whatever form it comes',
      source,
      answers: [{ status: 200, body: { Err: { No: 17, Text: 'gone' } } }],
      sends: 1,
      kind: 'rejected',
      code: '17',
      says: 'the server says 17: "gone"',
    },
    {
      fact: 'what is not there yet is asked again',
      source,
      answers: [{ status: 204, headers: { 'retry-after': '2' } }],
      means: 'pending',
      waits: [2_000],
    },
    {
      fact: 'the innermost code counts',
      source,
      answers: [{ status: 500, body: nested('OUTER', 'm', { code: 'INNER', message: 'm' }) }],
      means: 'transient',
      waits: [40],
    },
    {
      fact: 'but what ends the call goes before all',
      source,
      answers: [{ status: 500, body: nested('NO_CREDIT', 'm', { code: 'INNER', message: 'm' }) }],
      sends: 1,
      kind: 'throttled',
    },
    {
      fact: 'a wait stands in the body as seconds',
      source,
      answers: [{ status: 429, body: { wait: 1.5 } }],
      waits: [1_500],
    },
    {
      fact: 'or in a sentence, as a duration',
      source,
      answers: [{ status: 429, body: nested('R', 'Try again in 34.07s.') }],
      waits: [34_070],
    },
    {
      fact: 'Retry-After goes before both',
      source,
      answers: [{ status: 429, headers: { 'retry-after': '3' }, body: { wait: 1.5 } }],
      waits: [3_000],
    },
    {
      fact: 'what is no time is none',
      source,
      answers: [{ status: 429, body: { wait: 'soon' } }],
      means: 'throttled',
      waits: [undefined],
    },
    {
      fact: 'the server itself says not to retry',
      source,
      answers: [{ status: 503, headers: { 'x-acme-retry': 'false' } }],
      sends: 1,
      kind: 'unavailable',
      says: 'the server says not to retry: x-acme-retry',
    },
    {
      fact: 'or to',
      source,
      call: post,
      answers: [{ status: 404, headers: { 'x-acme-retry': 'true' } }],
      means: 'transient',
    },
    {
      fact: 'what Envoy dropped nobody has seen',
      source,
      call: post,
      answers: [{ status: 503, headers: { 'x-envoy-overloaded': 'true' } }],
      means: 'transient',
    },
    {
      fact: 'ids stand in headers and in the body',
      source,
      answers: [
        {
          status: 404,
          headers: { 'x-acme-id': 'a1' },
          body: { ...nested('C'), error: { code: 'C', message: 'm', ticket: 't1' } },
        },
      ],
      sends: 1,
      kind: 'rejected',
      ids: { 'x-acme-id': 'a1', ticket: 't1' },
    },
  ]);

  it('gives a policy that others can be laid over', () => {
    const merged = mergePolicies(acme(), { statuses: { 500: 'fail' }, ids: ['x-mine'] });
    expect(resolve(merged)).toMatchObject({ statuses: { 500: 'fail' }, ids: ['x-acme-id', 'ticket', 'x-mine'] });
  });

  it('has one limit as an object, so that its options can be changed one by one, and several as a list', () => {
    const one = definePreset({ name: 'one', limits: [{ requests: 2, perMs: 100, source }], source });
    expect(resolve(mergePolicies(one(), { limit: { maxQueue: 5 } })).limit).toMatchObject({ requests: 2, maxQueue: 5 });
    const two = definePreset({
      name: 'two',
      limits: [
        { maxConcurrent: 1, source },
        { maxConcurrent: 2, source },
      ],
      source,
    });
    expect(two().limit).toHaveLength(2);
  });

  it('keys by origin, account and bucket', () => {
    const made = definePreset({
      name: 'made',
      limits: [{ maxConcurrent: 1, bucket: ({ url }) => url !== '/free' && 'paid', source }],
      source,
    })({ account: ({ headers }) => String(headers.tenant) });
    const { key } = made.limit as { key(config: object): string };
    expect(key({ baseURL: 'https://a.example', url: '/x', headers: { tenant: 't' } })).toBe('https://a.example t paid');
    expect(key({ baseURL: 'https://a.example', url: '/free', headers: {} })).toBe(false);
  });

  it.each<[string, object]>([
    ['bad.rules.0.means must be', { rules: [{ means: 'retries', source }] }],
    ['bad.rules.0.source must be given, got nothing', { rules: [{ means: 'retry' }] }],
    [
      'bad.rules.0.status must be a status from 100 to 999, or an array of them, got 42',
      { rules: [{ status: 42, means: 'retry', source }] },
    ],
    [
      'bad.rules.0.message must be a regular expression without g and y',
      { rules: [{ message: /x/g, means: 'retry', source }] },
    ],
    ['bad.rules.0.header must be', { rules: [{ header: { 'X-Left': '0' }, means: 'retry', source }] }],
    [
      'bad.rules.1.waitMs must be a number of at least 0 and finite, got -1',
      {
        rules: [
          { means: 'retry', source },
          { means: 'retry', waitMs: -1, source },
        ],
      },
    ],
    ['bad.rules.0.meens is not an option; did you mean means?', { rules: [{ meens: 'retry', source }] }],
    ['bad.limits.0.requests must be', { limits: [{ requests: 0, perMs: 1, source }] }],
    ['bad.limits.0.key is not an option', { limits: [{ key: () => '', source }] }],
    ['bad.statuses.500 must be', { statuses: { 500: 'retries' } }],
    ['bad.ids must be an array of names', { ids: 'x-id' }],
    [
      'bad.rules.0.status must be a status from 100 to 999, or an array of them, got an array',
      { rules: [{ status: [], means: 'retry', source }] },
    ],
    ['bad.rules.0.status must be', { rules: [{ status: [500, 1_000], means: 'retry', source }] }],
    ['bad.rules.0.status must be', { rules: [{ status: 500.5, means: 'retry', source }] }],
    ["bad.rules.0.code must be a text that is not empty, or an array of them, got ''", ruled({ code: '' })],
    ['bad.rules.0.code must be', ruled({ code: ['A', 7] })],
    [
      "bad.rules.0.header must be an object like { 'x-remaining': '0' }, with names in lower case and a text or true, got an object",
      ruled({ header: { 'x-left': 0 } }),
    ],
    ['bad.rules.0.header must be', ruled({ header: { 'x-left': false } })],
    ['bad.rules.0.header must be', ruled({ header: 'x-left' })],
    ['bad.rules.0.message must be a regular expression without g and y', ruled({ message: /x/y })],
    ['bad.rules.0.message must be', ruled({ message: 'locked' })],
    ["bad.rules.0.method must be a method in upper case, or an array of them, got 'get'", ruled({ method: 'get' })],
    ['bad.rules.0.method must be', ruled({ method: '' })],
    ['bad.rules.0.when must be a function', ruled({ when: true })],
    ["bad.rules.0.why must be a text that is not empty, got ''", ruled({ why: '' })],
    ["bad.rules.0.source must be a text that is not empty, got ''", ruled({ source: '' })],
    ["bad.rules.0.waitMs must be a number of at least 0 and finite, got '5'", ruled({ waitMs: '5' })],
    ['bad.rules.0.waitMs must be', ruled({ waitMs: Number.POSITIVE_INFINITY })],
    [
      "bad.rules.0.means must be 'throttled' or 'exhausted' or 'refused' or 'retry' or 'fail' or 'refresh' or 'pending'",
      ruled({ means: 'gone' }),
    ],
    ['bad.rules.0.means must be given, got nothing', ruled({ means: undefined })],
    ['bad.rules must be an array of objects, got an object', { rules: {} }],
    ["bad.rules must be an array of objects, got 'retry' in it", { rules: ['retry'] }],
    ['bad.limits.0.source must be given, got nothing', { limits: [{ requests: 1, perMs: 1 }] }],
    ['bad.limits.0.bucket must be a function', { limits: [{ requests: 1, perMs: 1, bucket: 'x', source }] }],
    ["bad.waits must be an array of functions, got 'retry_in' in it", { waits: ['retry_in'] }],
    ['bad.account must be a text or a function, got 7', { account: 7 }],
    ['bad.api must be a function', { api: 'v1' }],
    ['bad.budget must be a function', { budget: 'v1' }],
    ['bad.readError must be a function', { readError: 'v1' }],
    ["bad.correlation must be a header name, got 'x id'", { correlation: 'x id' }],
    ['bad.idempotency.header must be a header name', { idempotency: { header: '' } }],
    ['bad.retry.maxRetries must be', { retry: { maxRetries: -1 } }],
    ["bad.ids must be an array of names, got '' in it", { ids: ['x', ''] }],
    ['bad.source must be a text that is not empty, or an array of them, got an array', { source: [] }],
    ['preset.name must be given, got nothing', { name: undefined }],
    ["preset.name must be a text that is not empty, got ''", { name: '' }],
    ['bad.source must be given, got nothing', { source: undefined }],
  ])('refuses wrong data: %s', (message, data) => {
    const define = () => definePreset({ name: 'bad', source, ...data } as never);
    expect(define).toThrow(InvalidPolicyError);
    expect(define).toThrow(message);
  });

  it.each([
    [null, 'preset must be a plain object, got null'],
    [undefined, 'preset must be a plain object, got null'],
    ['acme', 'preset must be a plain object, got a string'],
  ])('refuses what is no data: %o', (data, message) => {
    expect(() => definePreset(data as never)).toThrow(message);
  });

  it.each([
    [null, 'acme(options) must be a plain object such as { account }, got null'],
    ['tenant', 'acme(options) must be a plain object such as { account }, got a string'],
    [{ account: 7 }, 'acme(options).account must be a text or a function, got 7'],
  ])('refuses options that are none, since accounts would share a quota: %o', (options, message) => {
    expect(() => acme(options as never)).toThrow(InvalidPolicyError);
    expect(() => acme(options as never)).toThrow(message);
  });

  it('refuses wrong data of a function, at once or for the options that make it wrong', () => {
    expect(() => definePreset(() => ({ name: 'bad', ids: 7, source }) as never)).toThrow('bad.ids must be an array');
    const odd = definePreset<PresetOptions & { n?: number }>(({ n = 1 }) => ({
      name: 'odd',
      limits: [{ requests: n, perMs: 1, source }],
      source,
    }));
    expect(() => odd({ n: -1 })).toThrow('odd.limits.0.requests must be');
  });

  it('has the name of its data', () => {
    expect(acme.name).toBe('acme');
    expect(() => attach(axios.create(), acme as never)).toThrow('got the function acme: call it, acme()');
  });

  it('can be attached', async () => {
    const holdfast = attach(axios.create(), acme());
    expect(holdfast.policy.statuses).toEqual({ 500: 'retry' });
    await holdfast.close();
  });
});
