import { A_HEADER, aFunction, aHeaderName, TURNS_ON } from '../check.ts';
import { type Filled, Group } from '../group.ts';

export interface CorrelationOptions {
  /** The header that carries the id. A value that the caller has set wins. Default `X-Correlation-ID`. */
  readonly header?: string | undefined;
  /** Makes an id: printable ASCII. Default: a random UUID. */
  readonly generate?: (() => string) | undefined;
}

export type ResolvedCorrelation = Filled<CorrelationOptions, 'generate'>;

export const CORRELATION = new Group<CorrelationOptions, ResolvedCorrelation>({
  fields: { header: [aHeaderName, 'X-Correlation-ID'], generate: aFunction },
  advice: { on: TURNS_ON, text: A_HEADER },
});
