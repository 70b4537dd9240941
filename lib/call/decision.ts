import type { EndReason } from './report.ts';

/** What the loop does after an outcome. Carries its reason, so that nobody has to guess it later. */
export type Decision =
  | { readonly kind: 'finish' }
  | {
      readonly kind: 'retry';
      readonly delayMs: number;
      /** Whether the wait is our own backoff, not one that the server named. */
      readonly backoff: boolean;
      /** What of it the server named, in ms; 0 of a backoff. */
      readonly namedMs: number;
    }
  | {
      readonly kind: 'poll';
      readonly delayMs: number;
      /** What is to be asked from now on, by GET; `undefined` for the same request once more. */
      readonly url: string | undefined;
    }
  | { readonly kind: 'refresh' }
  | { readonly kind: 'stop'; readonly why: EndReason };

export type DecisionKind = Decision['kind'];

/** A decision to send once more, after a wait. */
export type Again = Extract<Decision, { readonly delayMs: number }>;
