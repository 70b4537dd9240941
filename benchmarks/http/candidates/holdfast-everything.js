import { attach } from '../../../dist/index.js';
import { everything } from '../../profile/policies.js';
import { httpOf } from '../http-of.js';

export const setup = httpOf((client) => {
  const attachment = attach(client, everything());
  return () => attachment.close();
});
