import { attach } from '../../../dist/index.js';
import { overheadOf } from '../overhead-of.js';

export const setup = overheadOf((client) => {
  const attachment = attach(client);
  return () => attachment.close();
});
