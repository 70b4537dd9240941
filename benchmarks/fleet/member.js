/**
 * One process of a fleet. `node member.js CANDIDATE` does what the candidate's own process asks over IPC, and ends with it.
 * The candidate's file exports `equip(client, { quota, members, redisPort, clusterPorts?, id })`, which attaches what is measured and gives, or
 * promises, `{ call?, close? }`, or nothing: see fleet-of.js.
 */
import http from 'node:http';
import axios from 'axios';
import { closedLoop } from '../goodput/closed-loop.js';
import { doTasks } from './do-tasks.js';

const [file, name] = process.argv.slice(2);
const { equip } = await import(file);
let client;
let equipped;
let loop;

const tasks = {
  async equip({ url, ...context }) {
    const httpAgent = new http.Agent({ keepAlive: true });
    client = axios.create({ baseURL: url, httpAgent, headers: { 'X-Client': name } });
    equipped = (await equip(client, context)) ?? {};
  },
  begin({ workers }) {
    loop = closedLoop(workers, equipped.call ?? ((signal) => client.get('/', { signal })));
  },
  mark() {
    loop?.mark();
  },
  async end() {
    const result = (await loop?.end()) ?? { waits: [], failed: 0 };
    loop = undefined;
    await equipped.close?.();
    return result;
  },
};

doTasks(tasks);
