import type { AxiosAdapter, AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { adapterFor } from './attempt/adapter.ts';
import { pipeline } from './pipeline.ts';
import type { ResolvedPolicy } from './policy/options.ts';
import { resolve } from './policy/resolve.ts';
import { CallSteps, type Shared } from './steps.ts';

/**
 * The request interceptor: puts the loop around the adapter that this call would have used.
 *
 * Inside the adapter, because whatever the caller has around it (interceptors, transforms) must run once per call, not once
 * per send; and because the bytes on the wire stay the same from send to send.
 */
export function interceptor(
  policy: ResolvedPolicy,
  shared: Shared,
): (config: InternalAxiosRequestConfig) => InternalAxiosRequestConfig {
  return (config) => {
    const { adapter } = config;
    // Everything else waits until the adapter runs: interceptors after this one may still change the config.
    const looping: AxiosAdapter = (sent) => {
      // The caller's config comes back with their own adapter, so that requesting it again starts one fresh loop.
      if (adapter === undefined) delete sent.adapter;
      else sent.adapter = adapter;
      return run(sent, policy, shared);
    };
    config.adapter = looping;
    return config;
  };
}

function run(config: InternalAxiosRequestConfig, attached: ResolvedPolicy, shared: Shared): Promise<AxiosResponse> {
  const { holdfast } = config;
  try {
    if (holdfast === false) return adapterFor(config, shared.bareInstance)(config);
    return pipeline(new CallSteps(shared, holdfast === undefined ? attached : resolve(holdfast, attached), config));
  } catch (error) {
    return Promise.reject(error);
  }
}
