import { AxiosHeaders } from 'axios';
import { describe, expect, it } from 'vitest';
import { axiosHeaders } from '../../lib/send/axios-headers.ts';

describe(axiosHeaders.name, () => {
  it('are the very ones that are of our axios', () => {
    const headers = new AxiosHeaders({ 'X-Id': '7' });
    expect(axiosHeaders(headers)).toBe(headers);
  });

  it.each<[string, unknown]>([
    ['a plain object', { 'X-Id': '7', 'X-Odd': {} }],
    ['a fetch Headers', new Headers({ 'X-Id': '7' })],
  ])('are made of %s', (_, headers) => {
    const made = axiosHeaders(headers);
    expect(made).toBeInstanceOf(AxiosHeaders);
    expect(made.get('x-id')).toBe('7');
    expect(made.get('x-odd') ?? null).toBeNull();
  });

  it('are none of what is no headers', () => {
    for (const headers of [undefined, null, 'X-Id: 7', 7]) expect(Object.keys(axiosHeaders(headers))).toEqual([]);
  });
});
