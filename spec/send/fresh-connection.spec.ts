import { Agent } from 'node:http';
import axios, { AxiosError, type AxiosRequestConfig } from 'axios';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Outcome } from '../../lib/call/outcome.ts';
import { destroyIdle, wantsFreshConnection } from '../../lib/send/fresh-connection.ts';
import { type Answer, json, type Loopback, loopback } from '../support/loopback.ts';
import { settle } from '../support/manual-clock.ts';

const STATUS: Answer = ({ url }, response) => {
  if (url === '/reset') response.destroy();
  else json(response, Number(url.slice(1)));
};

async function server(): Promise<Loopback> {
  const started = await loopback(STATUS);
  onTestFinished(() => started.close());
  return started;
}

function pool(): Agent {
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  return agent;
}

async function send(url: string, config: AxiosRequestConfig): Promise<Outcome> {
  return axios.get(url, { adapter: 'http', ...config }).then(
    (response): Outcome => ({ response }),
    (error: unknown): Outcome => ({ error }),
  );
}

/** How many connections are idle in a pool, once those that end have ended. */
async function idleIn(agent: Agent): Promise<number> {
  for (let i = 0; i < 3; i++) await settle();
  return Object.values(agent.freeSockets).flatMap((sockets) => sockets?.filter(({ destroyed }) => !destroyed) ?? [])
    .length;
}

describe(wantsFreshConnection.name, () => {
  it('holds where a send was lost on a connection that had been used before, and not on a new one', async () => {
    const { url } = await server();
    const httpAgent = pool();
    expect(wantsFreshConnection(await send(`${url}/reset`, { httpAgent }))).toBe(false);
    expect(wantsFreshConnection(await send(`${url}/200`, { httpAgent }))).toBe(false);
    expect(wantsFreshConnection(await send(`${url}/reset`, { httpAgent }))).toBe(true);
  });

  it.each(['ECONNRESET', 'EPIPE', 'EPROTOTYPE'])('takes %s for a loss', (code) => {
    expect(wantsFreshConnection({ error: lost(code, { reusedSocket: true }) })).toBe(true);
    expect(wantsFreshConnection({ error: lost(code, { reusedSocket: false }) })).toBe(false);
    expect(wantsFreshConnection({ error: lost(code, undefined) })).toBe(false);
  });

  it.each(['ECONNREFUSED', 'ETIMEDOUT', undefined])('does not take %s for one', (code) => {
    expect(wantsFreshConnection({ error: lost(code, { reusedSocket: true }) })).toBe(false);
  });

  it('holds where the server says that this is the wrong connection, if there is a pool', async () => {
    const { url } = await server();
    expect(wantsFreshConnection(await send(`${url}/421`, { httpAgent: pool() }))).toBe(true);
    expect(wantsFreshConnection(await send(`${url}/420`, { httpAgent: pool() }))).toBe(false);
    expect(wantsFreshConnection(await send(`${url}/421`, { adapter: 'fetch' }))).toBe(false);
  });

  it('does not hold where an answer came on a connection that had been used before', async () => {
    const { url } = await server();
    const httpAgent = pool();
    await send(`${url}/200`, { httpAgent });
    expect(wantsFreshConnection(await send(`${url}/503`, { httpAgent }))).toBe(false);
  });
});

describe(destroyIdle.name, () => {
  it.each([5, 0])('destroys the idle connections to the same host and port, with maxRedirects: %i', async (max) => {
    const { url } = await server();
    const httpAgent = pool();
    const outcomes = await Promise.all([1, 2].map(() => send(`${url}/200`, { httpAgent, maxRedirects: max })));
    expect(await idleIn(httpAgent)).toBe(2);
    destroyIdle(outcomes[0] as Outcome);
    expect(await idleIn(httpAgent)).toBe(0);
  });

  it('leaves those to another port', async () => {
    const [one, other] = [await server(), await server()];
    const httpAgent = pool();
    const outcome = await send(`${one.url}/200`, { httpAgent });
    await send(`${other.url}/200`, { httpAgent });
    expect(await idleIn(httpAgent)).toBe(2);
    destroyIdle(outcome);
    expect(await idleIn(httpAgent)).toBe(1);
  });

  it('goes by the default port of the agent where the request names none, and takes no name for another', () => {
    const destroyed: string[] = [];
    const socketOf = (name: string) => [{ destroy: () => destroyed.push(name) }];
    const names = ['api.example.com:443:', 'api.example.com:8443:', 'api.example.com.evil:443:', 'api.example.com:4:'];
    const freeSockets = Object.fromEntries(names.map((name) => [name, socketOf(name)]));
    const request = { host: 'api.example.com', agent: { defaultPort: 443, freeSockets } };
    destroyIdle({ error: lost('ECONNRESET', { ...request, _redirectable: { _options: { port: '' } } }) });
    expect(destroyed.splice(0)).toEqual(['api.example.com:443:']);
    destroyIdle({ error: lost('ECONNRESET', { ...request, _redirectable: { _options: { port: 8443 } } }) });
    expect(destroyed.splice(0)).toEqual(['api.example.com:8443:']);
    destroyIdle({ error: lost('ECONNRESET', request) });
    expect(destroyed).toEqual(['api.example.com:443:', 'api.example.com:8443:', 'api.example.com:4:']);
  });

  it('does nothing where there is no pool to be seen', async () => {
    const { url } = await server();
    const outcomes: Outcome[] = [
      await send(`${url}/200`, { adapter: 'fetch' }),
      { error: undefined },
      { error: 'no' },
      { error: lost('ECONNRESET', { host: 'api.example.com' }) },
      { error: lost('ECONNRESET', { host: 'api.example.com', agent: {} }) },
      { error: lost('ECONNRESET', { agent: { freeSockets: { 'undefined:': [{}] } } }) },
      { error: lost('ECONNRESET', { host: 'a', agent: { freeSockets: { 'a:80:': undefined } } }) },
    ];
    for (const outcome of outcomes) expect(() => destroyIdle(outcome)).not.toThrow();
  });
});

function lost(code: string | undefined, request: object | undefined): AxiosError {
  return new AxiosError('lost', code, undefined, request);
}
