import { clusteredBottleneck } from '../clustered-bottleneck.js';
import { fleetOf } from '../fleet-of.js';

export const setup = fleetOf(import.meta.url);

export function equip(client, context) {
  const { requests, perMs } = context.quota;
  return clusteredBottleneck(client, context, {
    reservoir: requests,
    reservoirRefreshAmount: requests,
    reservoirRefreshInterval: perMs,
    // With Redis it looks every 5 s only whether it is time to refresh.
    heartbeatInterval: 250,
  });
}
