/** The least that a library at this place can cost: a request interceptor that wraps the adapter and does nothing. */
import axios from 'axios';
import { httpOf } from '../http-of.js';

export const setup = httpOf((client) => {
  client.interceptors.request.use(
    (config) => {
      const { adapter } = config;
      config.adapter = (sent) => axios.getAdapter(adapter, sent)(sent);
      return config;
    },
    null,
    { synchronous: true },
  );
});
