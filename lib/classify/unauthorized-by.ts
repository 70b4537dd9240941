import { headerOf } from '../call/header.ts';
import { type Outcome, responseOf } from '../call/outcome.ts';
import type { ApiError } from '../failure/api-error.ts';
import { type Challenge, parseChallenges } from '../failure/challenge.ts';
import { apiErrorOf } from './error-body.ts';

/** What a 401 says, for the refresh. */
export function unauthorizedBy(
  outcome: Outcome | undefined,
  errorText: string | undefined,
): { readonly challenges: readonly Challenge[]; readonly api: ApiError | undefined } {
  const response = outcome && responseOf(outcome);
  const challenges = parseChallenges(headerOf(response?.headers, 'www-authenticate') ?? '');
  return { challenges, api: apiErrorOf(outcome, errorText) };
}
