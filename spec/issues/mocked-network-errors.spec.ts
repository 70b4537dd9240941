import axios from 'axios';
import { attach, failureOf } from 'axios-holdfast';
import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ADAPTERS, type AdapterName, axiosErrorOf } from '../support/attached.ts';

// Suites replace the network by msw or nock. Their errors have no code.

function attachedTo(baseURL: string, adapter: AdapterName) {
  const client = axios.create({ baseURL, adapter });
  attach(client, { retry: { backoff: () => 0, maxRetries: 2 } });
  return client;
}

describe.each(ADAPTERS)('a mocked error of the network (%s adapter)', (adapter) => {
  it.each(['http', 'https'])('of msw, over %s: a GET is repeated, a POST is not', async (scheme) => {
    let asked = 0;
    const mocked = http.all(`${scheme}://mocked.example/`, () => {
      asked += 1;
      return HttpResponse.error();
    });
    const server = setupServer(mocked);
    server.listen({ onUnhandledRequest: 'error' });
    onTestFinished(() => server.close());
    const client = attachedTo(`${scheme}://mocked.example`, adapter);
    const reading = failureOf(await axiosErrorOf(client.get('/')));
    expect(reading).toMatchObject({ kind: 'network', endedBecause: 'retries-exhausted', sends: 3 });
    const writing = failureOf(await axiosErrorOf(client.post('/', {})));
    expect(writing).toMatchObject({ kind: 'network', endedBecause: 'unsafe-method', sends: 1 });
    expect(asked).toBe(4);
  });

  it('of msw, as a 503: a POST is not repeated, over https either', async () => {
    const server = setupServer(http.post('https://mocked.example/', () => new HttpResponse(null, { status: 503 })));
    server.listen({ onUnhandledRequest: 'error' });
    onTestFinished(() => server.close());
    const failure = failureOf(await axiosErrorOf(attachedTo('https://mocked.example', adapter).post('/', {})));
    expect(failure).toMatchObject({ status: 503, endedBecause: 'unsafe-method', sends: 1 });
  });
});

describe('a mocked error of the network (http adapter)', () => {
  it.each(['http', 'https'])('of nock, over %s: a GET is repeated, a POST is not', async (scheme) => {
    // It takes the network over as soon as it is imported, so not before msw is done.
    const { default: nock } = await import('nock');
    if (!nock.isActive()) nock.activate();
    onTestFinished(() => nock.restore());
    const origin = `${scheme}://mocked.example`;
    nock(origin).get('/').times(3).replyWithError('socket hang up');
    nock(origin).post('/').replyWithError('socket hang up');
    nock(origin).post('/').reply(200);
    const client = attachedTo(origin, 'http');
    const reading = failureOf(await axiosErrorOf(client.get('/')));
    expect(reading).toMatchObject({ kind: 'network', endedBecause: 'retries-exhausted', sends: 3 });
    const writing = failureOf(await axiosErrorOf(client.post('/', {})));
    expect(writing).toMatchObject({ kind: 'network', endedBecause: 'unsafe-method', sends: 1 });
    nock.cleanAll();
  });
});
