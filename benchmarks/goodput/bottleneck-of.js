/** Bottleneck in front of bare axios: each call is a job. */
import Bottleneck from 'bottleneck';
import { goodputOf } from './goodput-of.js';

/** `options(quota)` are the constructor's. */
export function bottleneckOf(options) {
  return goodputOf((client, quota) => {
    const limiter = new Bottleneck(options(quota));
    return {
      call: (signal) => limiter.schedule(() => client.get('/', { signal })),
      async close() {
        // A stopped limiter goes on refilling its reservoir: only `disconnect` ends that.
        limiter.stop({ dropWaitingJobs: true }).catch(() => {});
        await limiter.disconnect();
      },
    };
  });
}
