import axios from 'axios';
import { attach } from '../../../dist/index.js';
const adapter = async (config) => ({ status: 200, statusText: 'OK', headers: {}, data: '{}', config, request: {} });
export const call = () => {
  const client = axios.create({ baseURL: 'https://api.example.com', adapter });
  attach(client, {  });
  return client.get('/').then(({ status }) => status);
};