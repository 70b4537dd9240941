import HttpAgent from 'agentkeepalive';
import { failureOf, reportOf } from 'axios-holdfast';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { describe, expect, it, onTestFinished } from 'vitest';
import { attached, axiosErrorOf, inTurn, status } from '../support/attached.ts';
import { silent } from '../support/faults.ts';
import { json } from '../support/loopback.ts';
import { connectProxy } from '../support/proxies.ts';

describe('https-proxy-agent', () => {
  const through = ({ port }: { readonly port: number }) => {
    const agent = new HttpsProxyAgent(`http://127.0.0.1:${port}`);
    onTestFinished(() => agent.destroy());
    return { httpAgent: agent, httpsAgent: agent, proxy: false as const };
  };

  it('takes the sends of a call through the proxy', async () => {
    const { client, server } = await attached(inTurn(status(503), status(200)), {}, through(await connectProxy()));
    expect(reportOf(await client.get('/'))?.sends.map((send) => send.status)).toEqual([503, 200]);
    expect(server.seen).toHaveLength(2);
  });

  it('refreshes a token through it, and replays the call', async () => {
    const auth = { token: () => 'old', refresh: async () => 'new', origins: 'any' as const };
    const { client, server } = await attached(
      ({ headers }, response) => json(response, headers.authorization === 'Bearer new' ? 200 : 401),
      { auth },
      through(await connectProxy()),
    );
    expect((await client.get('/')).status).toBe(200);
    expect(server.seen).toHaveLength(2);
  });
});

describe('agentkeepalive', () => {
  function keepAlive(options: HttpAgent.HttpOptions = {}) {
    const agent = new HttpAgent(options);
    onTestFinished(() => agent.destroy());
    return agent;
  }

  it('sends retries on the connection of the first send', async () => {
    const { client, server } = await attached(
      inTurn(status(503), status(503), status(200)),
      {},
      { httpAgent: keepAlive() },
    );
    await client.get('/');
    expect(server.seen).toHaveLength(3);
    expect(server.connections).toBe(1);
  });

  it('with a whole pool of dead connections, a call is sent again on a fresh one at once', async () => {
    const httpAgent = keepAlive({ freeSocketTimeout: 60_000 });
    const { client, server } = await attached(
      (_request, response) => json(response, 200),
      { retry: { backoff: () => 60_000 } },
      { httpAgent },
    );
    await Promise.all([1, 2, 3, 4].map(() => client.get('/')));
    for (const socket of server.sockets) socket.resetAndDestroy();
    const calls = await Promise.all([1, 2, 3, 4].map(() => client.get('/')));
    expect(calls.map((call) => call.status)).toEqual([200, 200, 200, 200]);
  });

  it('with a time-out of its own that ends nothing under axios: the deadline ends the call', async () => {
    const { client, server } = await attached(silent, { deadlineMs: 200 }, { httpAgent: keepAlive({ timeout: 20 }) });
    const error = await axiosErrorOf(client.get('/'));
    expect(failureOf(error)).toMatchObject({ kind: 'timeout', endedBecause: 'deadline' });
    await expect.poll(() => server.sockets.size).toBe(0);
  });
});
