import type { EndReason } from './report.ts';

/** What the loop does after an outcome. Where it stops, the decision carries the reason. */
export type Decision =
  | { readonly kind: 'finish' }
  | {
      readonly kind: 'retry';
      /** The wait before the retry, in ms. */
      readonly delayMs: number;
      /** Whether that wait is our own backoff; `false` where the server named one. */
      readonly backoff: boolean;
      /** How much of it the server named, in ms; 0 of a backoff. */
      readonly namedMs: number;
    }
  | {
      readonly kind: 'poll';
      /** The wait before the poll, in ms. */
      readonly delayMs: number;
      /** What is to be asked from now on, by GET; `undefined` for the same request once more. */
      readonly url: string | undefined;
    }
  | { readonly kind: 'refresh' }
  | { readonly kind: 'stop'; readonly why: EndReason };

export type DecisionKind = Decision['kind'];

/** A decision to send once more, after a wait. */
export type Again = Extract<Decision, { readonly delayMs: number }>;
