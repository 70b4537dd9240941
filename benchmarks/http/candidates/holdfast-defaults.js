import { attach } from '../../../dist/index.js';
import { httpOf } from '../http-of.js';

export const setup = httpOf((client) => {
  const attachment = attach(client);
  return () => attachment.close();
});
