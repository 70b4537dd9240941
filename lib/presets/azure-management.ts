import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { addressOf } from '../call/address.ts';
import { headerOf } from '../call/header.ts';
import { definePreset, type PresetLimit } from './define-preset.ts';
import { refilling } from './refilling.ts';

const LIMITS = 'https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling';
const SDK = 'https://github.com/Azure/azure-sdk-for-js/blob/main/sdk/core';

/**
 * Azure Resource Manager (`management.azure.com`). Of each subscription, and of the tenant: 250 reads at once and 25 a second, 200 writes and
 * 200 deletes at once and 10 a second; what is left of them is read from the headers, since others draw on it too.
 *
 * @example
 * attach(client, mergePolicies(azureManagement(), { deadlineMs: 60_000 }));
 */
export const azureManagement = definePreset({
  name: 'azureManagement',
  statuses: { '5xx': 'retry', 501: 'fail', 505: 'fail' },
  rules: [
    {
      status: 429,
      code: 'RetryableErrorDueToAnotherOperation',
      means: 'refused',
      why: 'locked by another operation',
      source: LIMITS,
    },
  ],
  limits: [limit('reads', 250, 25), limit('writes', 200, 10), limit('deletes', 200, 10)],
  correlation: 'x-ms-client-request-id',
  ids: ['x-ms-request-id', 'x-ms-correlation-request-id'],
  source: `${SDK}/ts-http-runtime/src/retryStrategies/exponentialRetryStrategy.ts`,
});

/** Whoever is principal has such a bucket in each region. */
function limit(operations: string, size: number, perSecond: number): PresetLimit {
  return {
    adaptive: true,
    requests: perSecond,
    perMs: 1_000,
    // One second less than all: a send may be under way for longer than the one after it.
    burst: size - perSecond,
    bucket: (config) => operations === operationOf(config) && `${scopeOf(config)} ${operations}`,
    quota: ({ headers }: AxiosResponse) => {
      const [left] = ['subscription', 'tenant']
        .map((scope) => headerOf(headers, `x-ms-ratelimit-remaining-${scope}-${operations}`))
        .filter((told) => told !== undefined);
      return left === undefined
        ? undefined
        : refilling(size, Number(left), ((size - Number(left)) / perSecond) * 1_000);
    },
    source: LIMITS,
  };
}

function operationOf({ method = 'get' }: InternalAxiosRequestConfig): string {
  if (/^delete$/i.test(method)) return 'deletes';
  return /^(?:get|head|options)$/i.test(method) ? 'reads' : 'writes';
}

const scopeOf = (config: InternalAxiosRequestConfig): string =>
  /\/subscriptions\/([^/?]+)/i.exec(addressOf(config))?.[1] ?? 'tenant';
