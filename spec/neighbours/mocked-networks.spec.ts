import axios from 'axios';
import { attach, reportOf } from 'axios-holdfast';
import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ADAPTERS } from '../support/attached.ts';

// What suites put in the place of the network answers every send, and not every call.
const ORIGIN = 'https://api.example.com';

function client(adapter: 'http' | 'fetch') {
  const instance = axios.create({ baseURL: ORIGIN, adapter });
  attach(instance, {
    retry: { backoff: () => 0 },
    auth: { token: () => 'old', refresh: async ({ http }) => (await http.post('/token')).data.token },
  });
  return instance;
}

describe.each(ADAPTERS)('by the adapter %s', (adapter) => {
  it('msw answers each send: a 503, a 401, and the call with the new token', async () => {
    let seen = 0;
    const server = setupServer(
      http.get(`${ORIGIN}/orders`, ({ request }) => {
        seen += 1;
        if (seen === 1) return new HttpResponse(null, { status: 503 });
        const isNew = request.headers.get('authorization') === 'Bearer new';
        return HttpResponse.json({ seen }, { status: isNew ? 200 : 401 });
      }),
      http.post(`${ORIGIN}/token`, () => HttpResponse.json({ token: 'new' })),
    );
    server.listen({ onUnhandledRequest: 'error' });
    onTestFinished(() => server.close());
    const response = await client(adapter).get('/orders');
    expect(response.data).toEqual({ seen: 3 });
    expect(reportOf(response)?.sends.map(({ status }) => status)).toEqual([503, 401, 200]);
  });
});

it('nock answers each send, in the order in which it was told to', async () => {
  // It takes the network over as soon as it is imported, so not before msw is done, which leaves fetch to nobody else.
  const { default: nock } = await import('nock');
  if (!nock.isActive()) nock.activate();
  onTestFinished(() => {
    nock.cleanAll();
    nock.restore();
  });
  nock(ORIGIN).get('/orders').reply(503).get('/orders').reply(401);
  nock(ORIGIN).post('/token').reply(200, { token: 'new' });
  nock(ORIGIN, { reqheaders: { authorization: 'Bearer new' } })
    .get('/orders')
    .reply(200, { seen: 3 });
  const response = await client('http').get('/orders');
  expect(response.data).toEqual({ seen: 3 });
  expect(reportOf(response)?.sends.map(({ status }) => status)).toEqual([503, 401, 200]);
  expect(nock.isDone()).toBe(true);
});
