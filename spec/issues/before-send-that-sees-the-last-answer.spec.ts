import axios, { type AxiosError } from 'axios';
import { type BeforeSend, failureOf, type Outcome } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { ADAPTERS, attached, axiosErrorOf, inTurn, rejectionOf, status } from '../support/attached.ts';

describe('beforeSend and the last answer', () => {
  it('can prove possession with the nonce that the server has just asked for', async () => {
    const asked = status(401, {
      'www-authenticate':
        'DPoP error="use_dpop_nonce", error_description="Authorization server requires nonce in DPoP proof"',
      'dpop-nonce': 'n-42',
    });
    const dpop: BeforeSend = ({ config, last }) => {
      const nonce = (last?.response ?? (last?.error as AxiosError | undefined)?.response)?.headers['dpop-nonce'];
      config.headers.set('DPoP', `proof(${config.method} ${config.url} ${nonce ?? ''})`);
    };
    const { client, server } = await attached(
      (request, response, n) =>
        (String(request.headers.dpop).includes('n-42') ? status(200) : asked)(request, response, n),
      {
        classify: ({ headers }) =>
          String(headers.get('www-authenticate')).includes('use_dpop_nonce')
            ? { kind: 'transient', unapplied: true, retryAfterMs: 0 }
            : undefined,
        beforeSend: dpop,
      },
    );
    expect((await client.post('/orders', {})).status).toBe(200);
    expect(server.seen.map(({ headers }) => headers.dpop)).toEqual([
      'proof(post /orders )',
      'proof(post /orders n-42)',
    ]);
  });

  it('is shown the last outcome, whether it was an answer or an error', async () => {
    const lasts: (Outcome | undefined)[] = [];
    const { client } = await attached(
      inTurn(status(503), (_, response) => void response.destroy(), status(200)),
      {
        beforeSend: ({ last }) => void lasts.push(last),
      },
    );
    await client.get('/');
    expect(lasts).toHaveLength(3);
    expect(lasts[0]).toBeUndefined();
    expect(lasts[1]).toMatchObject({ error: { response: { status: 503 } } });
    expect(lasts[2]).toMatchObject({ error: { code: 'ECONNRESET' } });
  });
});

describe('a beforeSend that gives false', () => {
  it.each<[string, BeforeSend]>([
    ['at once', ({ send }) => (send > 1 ? false : undefined)],
    ['later', async ({ send }) => (send > 1 ? false : undefined)],
  ])('ends the call with the last outcome: %s', async (_, beforeSend) => {
    let others = 0;
    const { client, server, holdfast } = await attached(status(503, {}, { code: 'down' }), {
      beforeSend: [beforeSend, () => void others++],
      limit: { maxConcurrent: 1 },
    });
    const error = await axiosErrorOf(client.get('/'));
    expect(error.response).toMatchObject({ status: 503, data: { code: 'down' } });
    expect(failureOf(error)).toMatchObject({ kind: 'unavailable', endedBecause: 'stopped', sends: 1, retries: 0 });
    expect(failureOf(error)?.summary).toMatch(/503 unavailable, stopped by `beforeSend`/);
    expect(server.seen).toHaveLength(1);
    expect(others).toBe(1);
    // Nothing is held, nor was anything spent on what was never sent.
    expect(holdfast.stats()).toMatchObject({ retries: 0, queued: 0, inFlight: 0 });
    expect(Object.values(holdfast.stats().budget)).toEqual([2_100]);
  });

  it('resolves with an answer that is pending: whoever stops it wants it so', async () => {
    const { client, server } = await attached(status(202, {}, { progress: 40 }), {
      statuses: { 202: 'pending' },
      poll: { intervalMs: 1 },
      beforeSend: ({ call }) => (call.polls >= 2 ? false : undefined),
    });
    const response = await client.get('/report');
    expect(response).toMatchObject({ status: 202, data: { progress: 40 } });
    expect(server.seen).toHaveLength(3);
  });

  it.each(ADAPTERS)('has lost the body of a stream, which is empty and can be done away with: %s', async (adapter) => {
    const { client, holdfast } = await attached(
      (_request, response) => void response.writeHead(202).end('progress'),
      {
        statuses: { 202: 'pending' },
        poll: { intervalMs: 1 },
        beforeSend: ({ send }) => (send > 1 ? false : undefined),
      },
      { adapter, responseType: 'stream' },
    );
    const { data } = await client.get<AsyncIterable<unknown> & Partial<ReadableStream>>('/report');
    const chunks: unknown[] = [];
    for await (const chunk of data) chunks.push(chunk);
    expect(chunks).toEqual([]);
    await data.cancel?.();
    expect(holdfast.stats().inFlight).toBe(0);
  });

  it('cancels the call where nothing has been sent', async () => {
    const { client, server } = await attached(status(200), { beforeSend: () => false });
    const error = await rejectionOf(client.get('/'));
    expect(axios.isCancel(error)).toBe(true);
    expect(failureOf(error)).toMatchObject({ kind: 'cancelled', endedBecause: 'stopped', sends: 0 });
    expect(server.seen).toHaveLength(0);
  });
});
