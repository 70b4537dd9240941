import { eachMeans, hereItIs, type Names } from '../check.ts';

/** What opossum and other breakers call the options of `breaker`. Data for the messages about wrong names. */
export const BREAKER_NAMES: Names = {
  ...hereItIs(
    'breaker.failureRatio, from 0 to 1',
    'errorThresholdPercentage',
    'failureRateThreshold',
    'errorThreshold',
    'threshold',
  ),
  ...hereItIs(
    'breaker.minimumThroughput, or breaker.failureRatio: a count alone opens no circuit',
    'failureThreshold',
    'maxFailures',
    'failures',
  ),
  ...hereItIs('breaker.minimumThroughput', 'volumeThreshold', 'minimumNumberOfCalls', 'minimumRps'),
  ...hereItIs('breaker.windowMs', 'rollingCountTimeout', 'samplingDuration', 'slidingWindowSize', 'duration'),
  ...hereItIs(
    'breaker.openMs',
    'resetTimeout',
    'halfOpenAfter',
    'breakDuration',
    'cooldown',
    'cooldownMs',
    'cooldownPeriod',
    'recoveryTimeout',
    'waitDurationInOpenState',
  ),
  ...hereItIs('breaker.isFailure', 'errorFilter', 'shouldTrip'),
  ...eachMeans("timeout is axios' own and bounds one send; deadlineMs bounds the call", 'timeout'),
};
