import { failureOf } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { attached, axiosErrorOf, inTurn, status } from '../support/attached.ts';
import { reset } from '../support/faults.ts';

/** Those of the IANA registry's idempotent methods that Node's HTTP server can read. */
const IDEMPOTENT = [
  ...['ACL', 'BIND', 'CHECKOUT', 'COPY', 'LINK', 'MERGE', 'MKACTIVITY', 'MKCALENDAR', 'MKCOL', 'MOVE', 'PROPFIND'],
  ...[
    'PROPPATCH',
    'PUT',
    'REBIND',
    'REPORT',
    'SEARCH',
    'UNBIND',
    'UNLINK',
    'DELETE',
    'GET',
    'HEAD',
    'OPTIONS',
    'TRACE',
  ],
];

describe('a method that the IANA registry calls idempotent', () => {
  it.each(IDEMPOTENT)('is repeated after a 503 and after a lost connection: %s', async (method) => {
    const { client, server } = await attached(inTurn(status(503), reset, status(200)));
    expect((await client.request({ url: '/', method })).status).toBe(200);
    expect(server.seen.map((each) => each.method)).toEqual([method, method, method]);
  });

  it.each(['LOCK', 'PATCH', 'POST', 'PURGE'])('is none of these: %s', async (method) => {
    const { client, server } = await attached(status(503));
    expect(failureOf(await axiosErrorOf(client.request({ url: '/', method })))?.endedBecause).toBe('unsafe-method');
    expect(server.seen).toHaveLength(1);
  });

  it('may be one that the policy adds, in any letter case', async () => {
    const { client, server } = await attached(inTurn(status(503), status(200)), {
      retry: { idempotentMethods: ['purge'] },
    });
    expect((await client.request({ url: '/', method: 'PURGE' })).status).toBe(200);
    expect(server.seen).toHaveLength(2);
  });

  it('may be one that a call adds', async () => {
    const { client, server } = await attached(inTurn(status(503), status(200)));
    const holdfast = { retry: { idempotentMethods: ['POST'] } };
    expect((await client.post('/search', {}, { holdfast })).status).toBe(200);
    expect(server.seen).toHaveLength(2);
  });
});
