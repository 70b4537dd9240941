/** Faults in the order they are to happen: each step is played to the next requests that it matches. */

import type { RefusalDetails } from './bodies.ts';
import type { ApiRequest } from './request.ts';

export type Step = StepBase & (AnswerStep | DropStep | TruncateStep | PassStep);

interface StepBase {
  /** How many requests the step is played to. Default 1; `Infinity` until `reset()`. */
  times?: number;
  /** Default: every request, the token endpoint's included. */
  match?: (request: ApiRequest) => boolean;
  /** Holds the answer back. Whatever the request asked for has been done by then. */
  delayMs?: number;
}

/** Answers instead of the API, which never sees the request. */
export interface AnswerStep extends RefusalDetails {
  kind: 'answer';
  status: number;
  /** Default for an error status: the documented body, by `code` and `shape`. A string is sent as it is. */
  body?: unknown;
}

/**
 * Loses the connection. `on-arrival`: by a reset, before anything is done; `before-headers`: by a reset, after the
 * request was carried out; `in-body`: likewise, after half of a chunked body.
 */
interface DropStep {
  kind: 'drop';
  when: 'on-arrival' | 'before-headers' | 'in-body';
}

/** Loses the connection after half of the bytes that Content-Length announced. */
interface TruncateStep {
  kind: 'truncate';
}

/** Lets the API answer: a gap between faults, or with `delayMs` a slow answer. */
interface PassStep {
  kind: 'pass';
}

export interface Script {
  append(steps: readonly Step[]): void;
  next(request: ApiRequest): Step;
  reset(): void;
}

export function createScript(): Script {
  let queue: { step: Step; left: number }[] = [];

  return {
    append(steps) {
      queue.push(...steps.map((step) => ({ step, left: step.times ?? 1 })));
    },
    next(request) {
      const entry = queue.find(({ step, left }) => left > 0 && (step.match?.(request) ?? true));
      if (!entry) return { kind: 'pass' };
      entry.left -= 1;
      if (entry.left <= 0) queue = queue.filter((other) => other !== entry);
      return entry.step;
    },
    reset() {
      queue = [];
    },
  };
}
