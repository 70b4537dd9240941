import type { InternalAxiosRequestConfig } from 'axios';
import { spellingIn } from '../call/header.ts';
import type { LiveCall } from '../call/live-call.ts';
import type { Station } from '../call/station.ts';
import { headerValue } from '../send/header-value.ts';
import { randomId } from '../time/clock.ts';
import type { ResolvedCorrelation } from './options.ts';

/** Writes one id on all sends of a call, where the caller has set none. */
export class CorrelationStation implements Station {
  readonly #options: ResolvedCorrelation;

  constructor(options: ResolvedCorrelation) {
    this.#options = options;
  }

  /** @throws {TypeError} when `generate` gives what no header may hold */
  stamp(call: LiveCall, { headers }: InternalAxiosRequestConfig): void {
    const { generate, header } = this.#options;
    const name = spellingIn(headers, header);
    if (headers[name] !== undefined) return;
    call.correlationId ??= generate ? headerValue(generate(), 'correlation.generate') : randomId();
    headers[name] = call.correlationId;
  }
}
