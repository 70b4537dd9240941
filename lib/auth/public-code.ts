import { codeOf } from '../failure/code.ts';

/** As Node, axios, undici and OAuth (RFC 6749 §5.2, RFC 6750 §3.1) write their codes. */
const CODE =
  /^(?:E[A-Z]{3,15}|(?:ERR|UND_ERR|HPE)_[A-Z_]{3,30}|(?:invalid|unauthorized|unsupported|access|insufficient|temporarily|server)_[a-z_]{4,24})$/;

/** The code of a refresh's error, if it can be shown: a code is anybody's string, and may quote what it is about. */
export function publicCodeOf(error: unknown): string | undefined {
  const code = codeOf(error);
  return code !== undefined && CODE.test(code) ? code : undefined;
}

/** A code as part of a message. */
export const inBrackets = (code: string | undefined): string => (code === undefined ? '' : ` (${code})`);
