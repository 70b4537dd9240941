import type { AxiosHeaders } from 'axios';
import type { Token } from './options.ts';

/** RFC 6750 §2.1. Takes the place of whatever stands there. */
export function bearer(headers: InstanceType<typeof AxiosHeaders>, { value }: Token): void {
  headers.set('Authorization', `Bearer ${value}`, true);
}
