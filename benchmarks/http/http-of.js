/** The work that is the same for every candidate: an instance, and a batch of calls, so many at a time. */
import http from 'node:http';
import axios from 'axios';

const order = { sku: 'A-100', quantity: 2, note: 'fragile' };

const callsOf = {
  get: (client) => client.get('/v1/customers/1'),
  post: (client) => client.post('/v1/orders', order),
};

/** A candidate's `setup`; `equip(client)` attaches what is measured and may return its teardown. */
export function httpOf(equip) {
  return ({ case: { method, atOnce }, size: { calls }, shared }) => {
    const httpAgent = new http.Agent({ keepAlive: true, maxSockets: atOnce });
    const client = axios.create({
      baseURL: shared.url,
      headers: { Accept: 'application/json', 'X-Client': 'benchmark' },
      httpAgent,
      proxy: false,
    });
    const tearDown = equip(client);
    const call = callsOf[method];

    return {
      async run() {
        let left = calls;
        const work = async () => {
          while (left > 0) {
            left -= 1;
            const { data } = await call(client);
            if (data.name !== 'Ada Lovelace') throw new Error('the call gave a wrong answer');
          }
        };
        const cpuBefore = process.cpuUsage();
        const begun = performance.now();
        await Promise.all(Array.from({ length: atOnce }, work));
        const tookMs = performance.now() - begun;
        const { user, system } = process.cpuUsage(cpuBefore);
        return { cpuUs: (user + system) / calls, perSecond: (calls / tookMs) * 1_000 };
      },
      async teardown() {
        await tearDown?.();
        httpAgent.destroy();
      },
    };
  };
}
