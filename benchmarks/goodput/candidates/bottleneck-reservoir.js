import { bottleneckOf } from '../bottleneck-of.js';

/** Bottleneck asks for an interval that is a multiple of 250 ms. */
export const setup = bottleneckOf(({ requests, perMs }) => ({
  reservoir: requests,
  reservoirRefreshAmount: requests,
  reservoirRefreshInterval: perMs,
}));
