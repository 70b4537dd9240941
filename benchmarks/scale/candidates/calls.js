/** So many calls at a time: with a limiter of one slot all but one of them wait in its queue, without one all have been sent. */
import axios from 'axios';
import { attach } from '../../../dist/index.js';
import { heapUsed } from '../heap.js';
import { cpuUsOf } from '../measured.js';

export const setup = ({ size, value: { calls, isAttached } }) => {
  let letGo;
  let released;
  const client = axios.create({
    baseURL: 'https://api.example.com',
    adapter: async (config) => {
      await released;
      return { data: '{}', status: 200, statusText: 'OK', headers: {}, config };
    },
  });
  const limit = { maxConcurrent: 1, maxQueue: Number.POSITIVE_INFINITY };
  const attachment = isAttached ? attach(client, { limit }) : undefined;
  const episode = async (weighs) => {
    released = new Promise((resolve) => {
      letGo = resolve;
    });
    const before = weighs ? await heapUsed() : 0;
    const underWay = [];
    let us = await cpuUsOf(() => {
      for (let i = 0; i < calls; i++) underWay.push(client.get('/v1/customers/1'));
    });
    const bytes = weighs ? ((await heapUsed()) - before) / calls : 0;
    us += await cpuUsOf(async () => {
      letGo();
      await Promise.all(underWay);
    });
    return { us, bytes };
  };
  return {
    teardown: () => attachment?.close(),
    async run() {
      const { bytes } = await episode(true);
      let us = 0;
      let made = 0;
      for (; made < size.calls; made += calls) us += (await episode(false)).us;
      return { us: us / made, bytes };
    },
  };
};
