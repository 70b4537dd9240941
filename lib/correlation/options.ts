import { A_HEADER, aFunction, aHeaderName, TURNS_ON } from '../check.ts';
import { type Filled, Group } from '../group.ts';

/**
 * One id for all sends of a call: the server's logs show which belong together, and `failureOf` gives it as `correlationId`.
 *
 * @example
 * attach(client, { correlation: { header: 'X-Request-Trace', generate: () => currentTrace().id } });
 */
export interface CorrelationOptions {
  /** The header that carries the id. Where the caller has set it, that value stays. Default `X-Correlation-ID`. */
  readonly header?: string | undefined;
  /**
   * Makes an id. Default: a random UUID. If it gives what no header may hold (anything but printable ASCII), the call rejects with a
   * TypeError.
   */
  readonly generate?: (() => string) | undefined;
}

export type ResolvedCorrelation = Filled<CorrelationOptions, 'generate'>;

export const CORRELATION = new Group<CorrelationOptions, ResolvedCorrelation>({
  fields: { header: [aHeaderName, 'X-Correlation-ID'], generate: aFunction },
  advice: { on: TURNS_ON, text: A_HEADER },
});
