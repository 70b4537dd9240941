import { attach } from '../../../dist/index.js';
import { goodputOf } from '../goodput-of.js';

export const setup = goodputOf((client, { requests, perMs }) => {
  const holdfast = attach(client, { limit: { requests, perMs } });
  return { close: () => holdfast.detach() };
});
