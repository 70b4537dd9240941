import { codeOf } from '../failure/code.ts';

/** The codes of Node, axios, undici and OAuth (RFC 6749 §5.2, RFC 6750 §3.1) look so. */
const CODE =
  /^(?:E[A-Z]{3,15}|(?:ERR|UND_ERR|HPE)_[A-Z_]{3,30}|(?:invalid|unauthorized|unsupported|access|insufficient|temporarily|server)_[a-z_]{4,24})$/;

/** The code of an error, where it may be shown. A code is anybody's text: one that looks like none may quote the token. */
export function publicCodeOf(error: unknown): string | undefined {
  const code = codeOf(error);
  return code !== undefined && CODE.test(code) ? code : undefined;
}

/** A code as part of a message. */
export const inBrackets = (code: string | undefined): string => (code === undefined ? '' : ` (${code})`);
