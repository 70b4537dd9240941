import axios from 'axios';
import { attach, credentials } from '../../../dist/core.js';
const adapter = async (config) => ({ status: 200, statusText: 'OK', headers: {}, data: '{}', config, request: {} });
export const call = () => {
  const client = axios.create({ baseURL: 'https://api.example.com', adapter });
  attach(client, { auth: credentials({ token: () => 't', refresh: async () => 't' }) });
  return client.get('/').then(({ status }) => status);
};