import type { InternalAxiosRequestConfig } from 'axios';
import { addressOf } from '../call/address.ts';
import { definePreset } from './define-preset.ts';

const CONCURRENCY = 'https://www.twilio.com/docs/api/errors/20429';
const SENT = 'https://www.twilio.com/docs/api/errors/60203';
const CHECKED = 'https://www.twilio.com/docs/api/errors/60202';
const QUEUE = 'https://www.twilio.com/docs/api/errors/21611';

/**
 * Twilio. A 429 means too many requests at once, and was never processed: any method is sent again, and how many an account may have under
 * way is learnt. The attempts of a verification and a full queue of messages come back with no wait of a call: that ends at once.
 *
 * @example
 * attach(client, mergePolicies(twilio(), { deadlineMs: 30_000 }));
 */
export const twilio = definePreset({
  name: 'twilio',
  rules: [
    { code: '60203', means: 'exhausted', why: 'the verification was sent too often', source: SENT },
    { code: '60202', means: 'exhausted', why: 'the verification was checked too often', source: CHECKED },
    { code: '21611', means: 'exhausted', why: 'messages of 10 hours are queued', source: QUEUE },
  ],
  limits: [{ adaptive: true, bucket: accountOf, source: CONCURRENCY }],
  source: CONCURRENCY,
});

function accountOf(config: InternalAxiosRequestConfig): string {
  return /\/Accounts\/(AC\w+)/.exec(addressOf(config))?.[1] ?? '';
}
