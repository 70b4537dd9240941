import { bottleneckOf } from '../bottleneck-of.js';

export const setup = bottleneckOf(({ requests, perMs }) => ({ minTime: perMs / requests }));
