import type { AxiosHeaders } from 'axios';
import { spellingIn } from '../call/header.ts';
import type { Token } from './options.ts';

/** Writes `Authorization: Bearer …` (RFC 6750 §2.1), in place of whatever stands there. */
export function bearer(headers: InstanceType<typeof AxiosHeaders>, { value }: Token): void {
  // `set` would look at name and value once more, though the token is known to be fit for a header.
  headers[spellingIn(headers, 'Authorization')] = `Bearer ${value}`;
}
