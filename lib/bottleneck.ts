/** @module axios-holdfast/bottleneck */

export {
  type BottleneckGroupLike,
  type BottleneckLike,
  type BottleneckLimiter,
  type BottleneckLimiterOptions,
  bottleneckLimiter,
} from './limit/bottleneck/bottleneck-limiter.ts';
