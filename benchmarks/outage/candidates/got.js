import got from 'got';
import { outageOf } from '../outage-of.js';

/** It retries timeouts by itself; its own number of retries is two. */
export const setup = outageOf('got', (_, { url, httpAgent, timeoutMs }) => {
  const client = got.extend({ agent: { http: httpAgent }, timeout: { request: timeoutMs }, retry: { limit: 3 } });
  return (signal) => client.get(url, { signal });
});
