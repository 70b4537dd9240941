import axios from 'axios';
import { attach, localLimiter, credentials, circuitBreaker } from '../../../dist/core.js';
const adapter = async (config) => ({ status: 200, statusText: 'OK', headers: {}, data: '{}', config, request: {} });
export const call = () => {
  const client = axios.create({ baseURL: 'https://api.example.com', adapter });
  attach(client, { limit: localLimiter({ requests: 50, perMs: 1_000 }), auth: credentials({ token: () => 't', refresh: async () => 't' }), breaker: circuitBreaker() });
  return client.get('/').then(({ status }) => status);
};