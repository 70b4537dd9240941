/** Any status on demand: `/status/{code}?code&shape&retryAfter&succeedAfter&key`. */

import { Refusal, type RefusalDetails } from './bodies.ts';
import type { Answer, ApiRequest } from './request.ts';

export interface Statuses {
  answer(status: string, request: ApiRequest): Answer;
  reset(): void;
}

export function createStatuses(): Statuses {
  const answered = new Map<string, number>();

  return {
    answer(wanted, request) {
      const { query } = request;
      const status = wholeNumber(wanted);
      const succeedAfter = wholeNumber(query.get('succeedAfter') ?? `${Number.MAX_SAFE_INTEGER}`);
      const retryAfter = query.get('retryAfter');
      if (status < 200 || status > 599) throw new Refusal(400, { description: 'Statuses run from 200 to 599.' });
      if (retryAfter && !/^[ -~]+$/.test(retryAfter)) {
        throw new Refusal(400, { description: 'retryAfter cannot be written as a header.' });
      }

      const key = query.get('key') ?? `${request.method} ${request.path}?${query}`;
      const count = answered.get(key) ?? 0;
      if (count >= succeedAfter) return { status: 200, body: { status: 200, failures: count } };
      answered.set(key, count + 1);
      if (status < 400) return { status, body: { status } };

      const details: RefusalDetails = {};
      const code = query.get('code');
      if (code) details.code = code;
      if (retryAfter) details.retryAfter = retryAfter;
      throw new Refusal(status, details);
    },
    reset() {
      answered.clear();
    },
  };
}

function wholeNumber(text: string): number {
  if (!/^\d{1,16}$/.test(text)) throw new Refusal(400, { description: 'A whole number was expected.' });
  return Number(text);
}
