/** A program as anybody has it: nothing in it speaks of logs. */
import axios from 'axios';
import { attach } from '../../lib/index.ts';

const client = axios.create({ baseURL: process.argv[2] ?? '' });
attach(client, { retry: { backoff: () => 1 } });
console.log((await client.get('/')).status);
