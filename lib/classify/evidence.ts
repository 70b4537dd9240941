import type { Call } from '../call/call.ts';
import { type Outcome, responseOf } from '../call/outcome.ts';
import type { ApiError } from '../failure/api-error.ts';
import { axiosHeaders } from '../send/axios-headers.ts';
import type { Clock } from '../time/clock.ts';
import { parseRetryAfter } from '../time/retry-after.ts';
import { namedWait } from './named-wait.ts';
import type { Evidence } from './options.ts';

/** What an outcome does not say by itself. It takes work: each is asked for when a judge reads it, and once. */
export interface Sources {
  readonly call: Call;
  api(): ApiError | undefined;
  data(): unknown;
}

/** What the judges of a policy are shown of an outcome. */
export function evidenceOf(outcome: Outcome, sources: Sources, clock: Pick<Clock, 'wall'>): Evidence {
  return new OutcomeEvidence(outcome, sources, clock);
}

/** Frozen, with getters for what takes work. A class, since getters on an object of its own cost 15 µs a call. */
class OutcomeEvidence implements Evidence {
  readonly outcome: Outcome;
  readonly response: Evidence['response'];
  readonly status: Evidence['status'];
  readonly error: Evidence['error'];
  readonly #sources: Sources;
  readonly #clock: Pick<Clock, 'wall'>;
  #call: Call | undefined;
  #headers: Evidence['headers'] | undefined;
  #api: { readonly value: Evidence['api'] } | undefined;
  #data: { readonly value: Evidence['data'] } | undefined;

  constructor(outcome: Outcome, sources: Sources, clock: Pick<Clock, 'wall'>) {
    const response = responseOf(outcome);
    const status: unknown = response?.status;
    this.outcome = outcome;
    this.response = response;
    this.status = typeof status === 'number' ? status : undefined;
    // It may be anything, but to read one of these fields does no harm.
    this.error = outcome.error as Evidence['error'];
    this.#sources = sources;
    this.#clock = clock;
    Object.freeze(this);
  }

  get call(): Call {
    this.#call ??= this.#sources.call;
    return this.#call;
  }

  get headers(): Evidence['headers'] {
    this.#headers ??= axiosHeaders(this.response?.headers);
    return this.#headers;
  }

  get api(): Evidence['api'] {
    this.#api ??= { value: this.#sources.api() };
    return this.#api.value;
  }

  get data(): Evidence['data'] {
    this.#data ??= { value: this.#sources.data() };
    return this.#data.value;
  }

  get retryAfterMs(): number | undefined {
    const { response } = this;
    if (response === undefined) return undefined;
    const status: unknown = response.status;
    // The headers of a quota ask for a wait only where the answer failed.
    return Number(status) >= 400
      ? namedWait(response, this.#clock, status === 429)?.ms
      : parseRetryAfter(response.headers, this.#clock.wall());
  }
}
