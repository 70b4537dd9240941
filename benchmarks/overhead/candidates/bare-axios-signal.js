/** What axios itself takes for a call with a signal, which its own loop through the interceptors looks at. */
import { overheadOf } from '../overhead-of.js';

export const setup = overheadOf(() => undefined, { signal: new AbortController().signal });
