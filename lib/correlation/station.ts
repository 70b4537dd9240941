import type { InternalAxiosRequestConfig } from 'axios';
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
    const { generate = randomId, header } = this.#options;
    if (headers.has(header)) return;
    call.correlationId ??= headerValue(generate(), 'correlation.generate');
    headers.set(header, call.correlationId);
  }
}
