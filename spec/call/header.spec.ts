import { AxiosHeaders } from 'axios';
import { describe, expect, it } from 'vitest';
import { headerNames, headerOf, sentHeaderOf, spellingIn } from '../../lib/call/header.ts';

describe(headerOf.name, () => {
  it.each<[string, unknown]>([
    ['AxiosHeaders', new AxiosHeaders({ 'Retry-After': ' 7 ' })],
    ['AxiosHeaders, spelled otherwise', new AxiosHeaders({ 'RETRY-AFTER': '7' })],
    ['a fetch Headers', new Headers({ 'Retry-After': '7' })],
    ['a plain object', { 'retry-after': '7' }],
    ['a plain object, spelled otherwise', { 'Retry-After': '7' }],
    ['a text with white space around it', { 'retry-after': ' 7\t' }],
    ['what has no text there, and finds one when it is asked', { 'retry-after': {}, get: () => '7' }],
    ['a number', { 'Retry-After': 7 }],
    ['a list of one', { 'Retry-After': ['7'] }],
  ])('reads %s', (_, headers) => {
    expect(headerOf(headers, 'retry-after')).toBe('7');
  });

  it('joins several values, and leaves out what is none', () => {
    expect(headerOf({ via: ['a', 1, null, {}, ' b '] }, 'via')).toBe('a, 1,  b');
    expect(headerOf({ via: [null] }, 'via')).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'retry-after: 7'],
    ['none of that name', { 'retry-afte': '7', 'retry-after2': '7' }],
    ['no text and no number', { 'retry-after': {} }],
    ['false', { 'Retry-After': false }],
    [
      'what throws',
      {
        get: () => {
          throw new Error('odd');
        },
      },
    ],
    ['another of that length', { 'retry-before': '8', 'retry-aftex': '7' }],
    ['what gives nothing', { get: () => undefined }],
  ])('gives nothing for %s', (_, headers) => {
    expect(headerOf(headers, 'retry-after')).toBeUndefined();
  });

  it('reads nothing out of a prototype', () => {
    expect(headerOf(Object.create({ 'retry-after': '7' }), 'retry-after')).toBeUndefined();
  });
});

describe(headerNames.name, () => {
  it.each<[unknown, readonly string[]]>([
    [new AxiosHeaders({ 'X-A': '1', b: '2' }), ['X-A', 'b']],
    [new Headers({ 'X-A': '1', b: '2' }), ['b', 'x-a']],
    [{ 'X-A': '1' }, ['X-A']],
    [{}, []],
    [{ 'X-A': '1', keys: '2' }, ['X-A', 'keys']],
    [{ 'X-A': '1', keys: () => ['odd'] }, ['X-A', 'keys']],
    [undefined, []],
    [null, []],
    ['X-A', []],
  ])('of %o are %o', (headers, names) => {
    expect(headerNames(headers)).toEqual(names);
  });

  it('are none of what throws', () => {
    const odd = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('odd');
        },
      },
    );
    expect(headerNames(odd)).toEqual([]);
  });
});

describe(spellingIn.name, () => {
  it.each([
    [{ 'X-Id': '1' }, 'X-Id', 'X-Id'],
    [{ 'x-id': '1' }, 'X-Id', 'x-id'],
    [{ 'X-ID': '1' }, 'X-Id', 'X-ID'],
    [{ 'X-Id-2': '1' }, 'X-Id', 'X-Id'],
    [{ 'X-Ip': '1' }, 'X-Id', 'X-Id'],
    [{}, 'X-Id', 'X-Id'],
    [{ 'x-id': '1', 'X-Id': '2' }, 'X-Id', 'X-Id'],
  ])('in %o of %s is %s', (headers, name, spelled) => {
    expect(spellingIn(headers, name)).toBe(spelled);
  });
});

describe(sentHeaderOf.name, () => {
  it.each<[Record<string, unknown>, string | undefined]>([
    [{ 'X-Key': ' k ' }, 'k'],
    [{ 'x-key': 7 }, '7'],
    [{ 'X-Key': ['a', 'b'] }, 'a, b'],
    [{ 'X-Key': ' ' }, undefined],
    [{ 'X-Key': null }, undefined],
    [{ 'X-Key': false }, undefined],
    [{ 'X-Other': 'k' }, undefined],
  ])('of %o is %s', (headers, value) => {
    expect(sentHeaderOf(headers, 'X-Key')).toBe(value);
  });
});
