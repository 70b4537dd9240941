import { headerOf } from '../call/header.ts';
import { type Outcome, responseOf } from '../call/outcome.ts';
import { type ApiError, type ReadError, readApiError, readOwnError } from '../failure/api-error.ts';

/**
 * The error in the body of an answer from 400 up.
 *
 * @param errorText the text of the body, where that is a stream or a Blob and the loop has read it
 */
export function apiErrorOf(outcome: Outcome | undefined, errorText: string | undefined): ApiError | undefined {
  const response = outcome && responseOf(outcome);
  if (response === undefined || !(response.status >= 400)) return undefined;
  return readApiError(errorText ?? response.data, headerOf(response.headers, 'content-type'));
}

/**
 * The error in a body, as a judge is shown it: also in that of a 200, which may carry one. Below 400, a code and a description alone are
 * not enough, since a country has them too.
 */
export function shownErrorOf(
  outcome: Outcome,
  errorText: string | undefined,
  readError?: ReadError,
): ApiError | undefined {
  return knownErrorOf(outcome, errorText) ?? readOwnError(errorText ?? responseOf(outcome)?.data, readError);
}

function knownErrorOf(outcome: Outcome, errorText: string | undefined): ApiError | undefined {
  const response = responseOf(outcome);
  if (response === undefined || response.status >= 400) return apiErrorOf(outcome, errorText);
  const api = readApiError(response.data, headerOf(response.headers, 'content-type'));
  return api?.shape === 'flat' && api.source === undefined ? undefined : api;
}
