import { A_HEADER, aFunction, aHeaderName, type Filled, object, TURNS_ON } from '../check.ts';

export interface CorrelationOptions {
  /** The header that carries the id. A value that the caller has set wins. Default `X-Correlation-ID`. */
  readonly header?: string | undefined;
  /** Makes an id: printable ASCII. Default: a random UUID. */
  readonly generate?: (() => string) | undefined;
}

export type ResolvedCorrelation = Filled<Omit<CorrelationOptions, 'generate'>> & Pick<CorrelationOptions, 'generate'>;

export const CORRELATION_DEFAULTS: ResolvedCorrelation = { header: 'X-Correlation-ID' };

export const checkCorrelation = object({ header: aHeaderName, generate: aFunction }, { on: TURNS_ON, text: A_HEADER });
