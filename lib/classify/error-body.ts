import { headerOf } from '../call/header.ts';
import { type Outcome, responseOf } from '../call/outcome.ts';
import { type ApiError, readApiError } from '../failure/api-error.ts';

/**
 * The error that an answer from 400 up holds.
 *
 * @param errorText its text, where the body is a stream or a Blob that the loop has read
 */
export function apiErrorOf(outcome: Outcome | undefined, errorText: string | undefined): ApiError | undefined {
  const response = outcome && responseOf(outcome);
  if (response === undefined || !(response.status >= 400)) return undefined;
  return readApiError(errorText ?? response.data, headerOf(response.headers, 'content-type'));
}

/**
 * What a judge is shown of it, also of an answer that is none: a 200 may carry an error. There a code and a description alone are not
 * enough, since a country has them too.
 */
export function shownErrorOf(outcome: Outcome, errorText: string | undefined): ApiError | undefined {
  const response = responseOf(outcome);
  if (response === undefined || response.status >= 400) return apiErrorOf(outcome, errorText);
  const api = readApiError(response.data, headerOf(response.headers, 'content-type'));
  return api?.shape === 'flat' && api.source === undefined ? undefined : api;
}
