import rateLimit from 'axios-rate-limit';
import { goodputOf } from '../goodput-of.js';

export const setup = goodputOf((client, { requests, perMs }) => {
  rateLimit(client, { maxRequests: requests, perMilliseconds: perMs });
});
