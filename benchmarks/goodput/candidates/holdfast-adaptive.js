import { attach } from '../../../dist/index.js';
import { goodputOf } from '../goodput-of.js';

export const setup = goodputOf(
  (client) => {
    const holdfast = attach(client, { limit: { adaptive: true } });
    return { close: () => holdfast.detach() };
  },
  { learns: true },
);
