import aws4 from 'aws4';
import type { BeforeSend } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { ADAPTERS, attached, inTurn, status } from '../support/attached.ts';
import type { Seen } from '../support/loopback.ts';

const KEYS = { accessKeyId: 'AKID', secretAccessKey: 'secret' };
const SCOPE = { service: 'execute-api', region: 'eu-central-1' };

/** Signs what is sent, as AWS documents it: Signature Version 4. */
const sign: BeforeSend = ({ config, send }) => {
  const { host, pathname, search } = new URL(`${config.baseURL}${config.url}`);
  const { data: body, method = 'get' } = config as { data: string; method?: string };
  const headers = {
    'content-type': 'application/json',
    'x-send': String(send),
    // Another time for each send, as it would be.
    'x-amz-date': `20261201T00000${send}Z`,
  };
  const signed = aws4.sign(
    { ...SCOPE, host, path: pathname + search, method: method.toUpperCase(), body, headers },
    KEYS,
  );
  for (const [name, value] of Object.entries(signed.headers ?? {})) config.headers.set(name, String(value));
  config.headers.delete('host');
};

/** Whether the server finds the same signature for what it got. */
function isRight({ body, headers, method, url }: Seen): boolean {
  const names = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '')?.[1]?.split(';') ?? [];
  const signed = Object.fromEntries(names.map((name) => [name, String(headers[name])]));
  const again = aws4.sign(
    { ...SCOPE, host: String(headers.host), path: url, method, body: body.toString(), headers: signed },
    KEYS,
  );
  return again.headers?.Authorization === headers.authorization;
}

describe.each(ADAPTERS)('aws4 in beforeSend, by the adapter %s', (adapter) => {
  it('signs every send anew, for what is sent: the server finds each signature right', async () => {
    const { client, server } = await attached(
      inTurn(status(503), status(429), status(200)),
      { beforeSend: sign, retry: { unsafe: 'always', backoff: () => 0 } },
      { adapter },
    );
    const response = await client.post('/orders?b=2&a=1', { item: 'a' });
    expect(server.seen.map(isRight)).toEqual([true, true, true]);
    expect(new Set(server.seen.map(({ headers }) => headers.authorization)).size).toBe(3);
    expect(response.config.headers.has('authorization')).toBe(false);
  });
});
