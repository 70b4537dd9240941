/** What is left of calls that are over, each with a body of its own of 10 kB, where the application has kept so much of each response. */
import axios from 'axios';
import { attach } from '../../../dist/index.js';
import { everything } from '../../profile/policies.js';
import { heapUsed } from '../heap.js';
import { cpuUsOf } from '../measured.js';

const BODY_BYTES = 10_000;
const policies = { defaults: () => ({}), everything };

const keeping = {
  nothing: () => undefined,
  data: (response) => response.data,
  response: (response) => response,
  'response without its config': (response) => {
    delete response.config;
    return response;
  },
};

export const setup = ({ size: { finished }, value: { policy, kept } }) => {
  const client = axios.create({
    baseURL: 'https://api.example.com',
    headers: { 'Content-Type': 'text/plain' },
    adapter: async (config) => ({ data: '{"id":1}', status: 200, statusText: 'OK', headers: {}, config }),
  });
  const attachment = policy === undefined ? undefined : attach(client, policies[policy]());
  return {
    teardown: () => attachment?.close(),
    async run() {
      // In place before it is weighed.
      const store = new Array(finished).fill(undefined);
      const before = await heapUsed();
      const us = await cpuUsOf(async () => {
        for (let i = 0; i < finished; i++) {
          const body = Buffer.alloc(BODY_BYTES, String(i)).toString('latin1');
          store[i] = keeping[kept](await client.post('/v1/orders', body));
        }
      });
      const bytes = ((await heapUsed()) - before) / finished;
      if (store.length !== finished) throw new Error('nothing was kept');
      return { us: us / finished, bytes };
    },
  };
};
