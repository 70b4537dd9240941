import { clusteredBottleneck } from '../clustered-bottleneck.js';
import { fleetOf } from '../fleet-of.js';

export const setup = fleetOf(import.meta.url);

export function equip(client, context) {
  const { requests, perMs } = context.quota;
  return clusteredBottleneck(client, context, { minTime: perMs / requests });
}
