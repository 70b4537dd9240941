import { attach } from '../../../dist/index.js';
import { stormOf } from '../storm-of.js';

export const setup = stormOf((client, { expired, refresh }) => {
  attach(client, { auth: { token: () => expired, refresh } });
});
