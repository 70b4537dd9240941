/** What runs in the browser: bundled into one script, whose names the specs find under `kit`. */
import axios, { type AxiosInstance, type CreateAxiosDefaults, isCancel } from 'axios';
import { attach, type Failure, failureOf, mergePolicies, type Policy, type Report, reportOf } from 'axios-holdfast';

/** What came of a call, as plain data. */
export interface Told {
  readonly data?: unknown;
  readonly failure?: Pick<Failure, 'kind' | 'status' | 'code' | 'endedBecause' | 'sends'> & {
    readonly apiCode?: string;
  };
  readonly report: Report | undefined;
  readonly cancelled: boolean;
}

/** A client with a policy attached; waits that the server does not name take no time. */
export function client(adapter: string, policy: Policy = {}, defaults: CreateAxiosDefaults = {}): AxiosInstance {
  const instance = axios.create({ baseURL: location.origin, adapter: adapter as 'xhr', ...defaults });
  attach(instance, mergePolicies({ retry: { backoff: () => 0 } }, policy));
  return instance;
}

export async function told(call: Promise<{ readonly data: unknown }>): Promise<Told> {
  try {
    const response = await call;
    return { data: response.data, report: reportOf(response), cancelled: false };
  } catch (error) {
    const known = failureOf(error);
    if (known === undefined) throw error;
    const { kind, status, code, endedBecause, sends, api } = known;
    const failure = { kind, status, code, endedBecause, sends, ...(api && { apiCode: api.code }) };
    return { failure, report: reportOf(error), cancelled: isCancel(error) };
  }
}

/** What a failed call was answered with. */
export async function answerOf(call: Promise<unknown>): Promise<{ readonly data: unknown } | undefined> {
  return call.then(
    () => undefined,
    (error: { response?: { data: unknown } }) => error.response,
  );
}
