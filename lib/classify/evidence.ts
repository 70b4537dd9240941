import type { ApiError } from '../failure/api-error.ts';
import type { Call } from '../model/call.ts';
import { type Outcome, responseOf } from '../model/outcome.ts';
import type { Evidence } from '../policy/options.ts';
import { parseRetryAfter } from '../wait/retry-after.ts';
import { axiosHeaders } from './axios-headers.ts';
import { namedWait } from './named-wait.ts';

/** What an outcome does not say by itself. The costly parts are asked when a judge reads them, and once. */
export interface Sources {
  readonly call: Call;
  api(): ApiError | undefined;
  data(): unknown;
}

/** What the judges of a policy are shown of an outcome. */
export function evidenceOf(outcome: Outcome, sources: Sources, nowMs: number): Evidence {
  const response = responseOf(outcome);
  const status: unknown = response?.status;
  const headers = once(() => axiosHeaders(response?.headers));
  const api = once(() => sources.api());
  const data = once(() => sources.data());
  const retryAfterMs = once(() => {
    if (response === undefined) return undefined;
    // Only a failed answer asks anything by the state of its quota.
    return Number(status) >= 400
      ? namedWait(response, nowMs, status === 429)?.ms
      : parseRetryAfter(response.headers, nowMs);
  });
  // With properties of its own and not a class's: a judge may spread it.
  return Object.freeze({
    outcome,
    call: sources.call,
    response,
    status: typeof status === 'number' ? status : undefined,
    // Whatever it is, reading one of these fields of it does no harm.
    error: outcome.error as Evidence['error'],
    get headers() {
      return headers();
    },
    get data() {
      return data();
    },
    get api() {
      return api();
    },
    get retryAfterMs() {
      return retryAfterMs();
    },
  });
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
