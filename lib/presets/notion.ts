import { definePreset } from './define-preset.ts';

const LIMITS = 'https://developers.notion.com/reference/request-limits';
const STATUSES = 'https://developers.notion.com/reference/status-codes';
const SDK = 'https://www.mintlify.com/makenotion/notion-sdk-js/concepts/retries';

/**
 * Notion. A 429 and a 529 (overloaded) are waited out, whatever the method, any other 5xx is retried where a repeat is harmless. How much a
 * connection may send goes by the plan of its workspace, and nothing tells it: it is learnt. Give `account` for each connection.
 *
 * @example
 * attach(client, mergePolicies(notion(), { deadlineMs: 120_000 }));
 */
export const notion = definePreset({
  name: 'notion',
  statuses: { '5xx': 'retry' },
  rules: [
    { status: 529, means: 'throttled', why: 'overloaded', source: LIMITS },
    { status: 409, code: 'conflict_error', means: 'refused', why: 'a collision of data', source: STATUSES },
  ],
  limits: [{ adaptive: true, source: LIMITS }],
  ids: ['request_id'],
  source: SDK,
});
