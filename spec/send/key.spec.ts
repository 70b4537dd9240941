import { AxiosHeaders } from 'axios';
import { describe, expect, it } from 'vitest';
import { keyOf } from '../../lib/send/key.ts';

const config = { url: 'https://api.example.com/items', method: 'get', headers: new AxiosHeaders() };

describe(keyOf.name, () => {
  it("is what the policy's function makes of the config", () => {
    expect(keyOf(({ method }) => `of ${method}`, config, 'limit.key')).toBe('of get');
    expect(keyOf(() => '', config, 'limit.key')).toBe('');
  });

  it('is the origin where there is none, or where it has no opinion', () => {
    expect(keyOf(undefined, config, 'limit.key')).toBe('https://api.example.com');
    expect(keyOf(() => undefined as never, config, 'limit.key')).toBe('https://api.example.com');
  });

  it('must be a string', () => {
    expect(() => keyOf(() => ({}) as never, config, 'limit.key')).toThrow(
      'limit.key must return a string, got an object',
    );
  });
});
