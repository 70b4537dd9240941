/** The work that is the same for every candidate: a storm of calls, and what the server says of it. */
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import axios from 'axios';
import { REFRESH_MS } from './server.js';

/**
 * A candidate's `setup`. `equip(client, { expired, refresh })` attaches what is measured and may return the storm itself:
 * `(calls) => Promise<PromiseSettledResult[]>`; otherwise it is so many `client.get('/api')` at a time.
 */
export function stormOf(equip) {
  return ({ case: calls, shared }) => {
    const httpAgent = new http.Agent({ keepAlive: true, maxSockets: 500 });
    return {
      teardown: () => httpAgent.destroy(),
      async run() {
        const baseURL = `${shared.url}/${randomUUID()}`;
        const control = axios.create({ baseURL });
        await control.post('/begin');
        const client = axios.create({ baseURL, httpAgent });
        const refresh = async () => (await control.post('/token')).data.token;
        const storm = equip(client, { expired: 'expired', refresh }) ?? allAtOnce(client);

        const begun = performance.now();
        const settled = await storm(calls);
        const tookMs = performance.now() - begun;

        const { requests, refreshes } = (await control.post('/end')).data;
        const lost = settled.filter(({ value }) => value?.data.ok !== true).length;
        return { refreshes, replays: requests - calls, lost, overMs: tookMs - REFRESH_MS };
      },
    };
  };
}

export function allAtOnce(client) {
  return (calls) => Promise.allSettled(Array.from({ length: calls }, () => client.get('/api')));
}
