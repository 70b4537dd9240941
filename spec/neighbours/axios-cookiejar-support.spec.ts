import axios from 'axios';
import { wrapper } from 'axios-cookiejar-support';
import { attach, type Policy, reportOf } from 'axios-holdfast';
import { CookieJar } from 'tough-cookie';
import { describe, expect, it, onTestFinished } from 'vitest';
import { inTurn, status } from '../support/attached.ts';
import { type Answer, json, loopback } from '../support/loopback.ts';

describe.each(['wrapped before attach', 'wrapped after it'])('axios-cookiejar-support, %s', (order) => {
  async function client(answer: Answer, policy: Policy = {}) {
    const server = await loopback(answer);
    onTestFinished(() => server.close());
    const jar = new CookieJar();
    const instance = axios.create({ baseURL: server.url, jar });
    const hold = () => attach(instance, { retry: { backoff: () => 0 }, ...policy });
    if (order === 'wrapped after it') hold();
    wrapper(instance);
    if (order === 'wrapped before attach') hold();
    return { instance, jar, server };
  }

  it('sends with a retry the cookie that the refusal has set', async () => {
    const { instance, server } = await client(inTurn(status(503, { 'set-cookie': 'route=b' }), status(200)));
    await instance.get('/');
    expect(server.seen.map(({ headers }) => headers.cookie)).toEqual([undefined, 'route=b']);
  });

  it('has a session in cookies refreshed once for all calls, and replays them with the new one', async () => {
    const isRenewed = (cookie: string | undefined) => cookie?.includes('session=new') === true;
    const answer: Answer = ({ headers, url }, response) =>
      url === '/refresh'
        ? json(response, 200, {}, { 'set-cookie': 'session=new; Path=/' })
        : json(response, isRenewed(headers.cookie) ? 200 : 401);
    const { instance, jar, server } = await client(answer, {
      auth: { refresh: async ({ http }) => void (await http.post('/refresh')), origins: 'any' },
    });
    await jar.setCookie('session=old; Path=/', server.url);
    const responses = await Promise.all([1, 2, 3, 4].map(() => instance.get('/orders')));
    expect(responses.map((response) => response.status)).toEqual([200, 200, 200, 200]);
    expect(server.seen.filter(({ url }) => url === '/refresh')).toHaveLength(1);
    expect(responses.map((response) => reportOf(response)?.sends.length)).toEqual([2, 2, 2, 2]);
  });

  it('keeps connections alive over a retry: one serves both sends', async () => {
    const { instance, server } = await client(inTurn(status(503), status(200)));
    await instance.get('/');
    expect(server.connections).toBeLessThanOrEqual(2);
    expect(server.seen).toHaveLength(2);
  });
});
