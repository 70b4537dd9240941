import { allAtOnce, stormOf } from '../storm-of.js';

export const setup = stormOf((client, { expired, refresh }) => async (calls) => {
  client.defaults.headers.Authorization = `Bearer ${expired}`;
  await allAtOnce(client)(calls);
  client.defaults.headers.Authorization = `Bearer ${await refresh()}`;
  return allAtOnce(client)(calls);
});
