import axios from 'axios';
import { attach } from '../../../../dist/core.js';
const adapter = async (config) => ({ status: 200, statusText: 'OK', headers: {}, data: '{}', config, request: {} });
export const call = () => {
  const client = axios.create({ baseURL: 'https://api.example.com', adapter });
  attach(client, {  });
  return client.get('/').then(({ status }) => status);
};
import * as entry from '../../../../dist/presets.js';
export const names = Object.keys(entry);