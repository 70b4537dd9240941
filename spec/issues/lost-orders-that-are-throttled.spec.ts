import { describe, expect, it } from 'vitest';
import type { IdempotencyOptions } from '../../lib/idempotency/options.ts';
import { type Line, networkError, scripted } from '../support/scripted.ts';

/** A POST that was lost may have been applied; when its repeat was answered 429, the next one had another key, and placed the order again. */
async function keysSent(script: readonly Line[], idempotency: IdempotencyOptions) {
  const keys: unknown[] = [];
  let made = 0;
  const { call } = scripted(
    (n, { headers }) => {
      keys.push(headers.get('Idempotency-Key'));
      return script[n] as Line;
    },
    { idempotency: { generate: () => `key-${++made}`, ...idempotency }, retry: { maxRetries: 5 } },
  );
  await call({ url: '/orders', method: 'post', data: {} });
  return keys;
}

const LOST = networkError('ECONNRESET');

describe('a key that is renewed after a response', () => {
  const renew = 'after-response';

  it('is renewed after a 429', async () => {
    expect(await keysSent([429, 429, 200], { renew })).toEqual(['key-1', 'key-2', 'key-3']);
  });

  it('stays where a send that carried it was lost, whatever is answered since', async () => {
    expect(await keysSent([LOST, 429, 200], { renew })).toEqual(['key-1', 'key-1', 'key-1']);
    expect(await keysSent([429, LOST, 429, LOST, 429, 200], { renew })).toEqual(['key-1', ...Array(5).fill('key-2')]);
  });
});
