/** The least that a library at this place can cost: a request interceptor that wraps the adapter and does nothing. */
import { overheadOf } from '../overhead-of.js';

export const setup = overheadOf((client) => {
  client.interceptors.request.use(
    (config) => {
      const { adapter } = config;
      config.adapter = (sent) => adapter(sent);
      return config;
    },
    null,
    { synchronous: true },
  );
});
