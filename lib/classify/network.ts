import type { Verdict } from '../call/verdict.ts';
import { codeOf, isTlsCode } from '../failure/code.ts';
import { faultOf, isOutOfFiles } from '../failure/fault.ts';
import { isUnapplied } from '../failure/unapplied.ts';

/** The answer is too large for the parser. A repeat would end the same way. */
const TOO_LARGE: ReadonlySet<string> = new Set([
  'HPE_HEADER_OVERFLOW',
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_RES_EXCEEDED_MAX_SIZE',
]);

const CANCELLED: Verdict = Object.freeze({ kind: 'cancelled' });

/** What an error without a usable answer means. By its meaning and not by its code, which differs from adapter to adapter. */
export function verdictOfError(error: unknown): Verdict {
  const code = codeOf(error);
  if (code === 'ERR_CANCELED') return CANCELLED;
  const reason = code === undefined ? {} : { reason: code };
  if (!isTransient(error, code)) return { kind: 'permanent', ...reason };
  return { kind: 'transient', ...(isUnapplied(error) && { unapplied: true }), ...reason };
}

function isTransient(error: unknown, code = ''): boolean {
  return faultOf(error) === 'network' ? !isTlsCode(code) && !TOO_LARGE.has(code) : isOutOfFiles(error);
}
