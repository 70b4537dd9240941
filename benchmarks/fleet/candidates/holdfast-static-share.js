import { attach } from '../../../dist/index.js';
import { fleetOf } from '../fleet-of.js';

export const setup = fleetOf(import.meta.url);

/** Nothing is shared: each process may send its eighth, whether the others do or not. */
export function equip(client, { quota: { requests, perMs }, members }) {
  const holdfast = attach(client, { limit: { requests: requests / members, perMs } });
  return { close: () => holdfast.detach() };
}
