import { codeOf } from '../failure/code.ts';

/** As Node, axios and OAuth write their codes: `ECONNRESET`, `ERR_BAD_REQUEST`, `invalid_grant`. No token looks like that. */
const CODE = /^(?:[A-Z]{2}[A-Z\d]*(?:_[A-Z\d]+)*|[a-z]{2,}(?:_[a-z]+)+)$/;

/** The code of a refresh's error, if it can be shown: a code is anybody's string, and may quote what it is about. */
export function publicCodeOf(error: unknown): string | undefined {
  const code = codeOf(error);
  return code !== undefined && code.length <= 40 && CODE.test(code) ? code : undefined;
}
