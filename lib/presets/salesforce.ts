import { definePreset } from './define-preset.ts';

const LIMITS =
  'https://developer.salesforce.com/docs/platform/salesforce-app-limits-cheatsheet/guide/salesforce-app-limits-platform-api.html';
const STATUSES = 'https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm';
const TOTAL = 'https://github.com/SalesforceLabs/OrgCheck/issues/181';
const LOCKS = 'https://salesforce.stackexchange.com/questions/225411/process-multiple-inbound-requests-in-parallel';

const LIMIT = 'REQUEST_LIMIT_EXCEEDED';

/**
 * Salesforce's REST APIs. `REQUEST_LIMIT_EXCEEDED` stands for two limits: where too many long requests are under way it is waited for, where the
 * requests of 24 hours are used up the call ends. At most 25 requests are under way at once, or fewer if the org takes fewer.
 *
 * @example
 * attach(client, mergePolicies(salesforce(), { auth: { refresh } }));
 */
export const salesforce = definePreset({
  name: 'salesforce',
  rules: [
    { status: 403, code: LIMIT, means: 'throttled', why: 'too many long requests at once', source: STATUSES },
    {
      status: 403,
      code: LIMIT,
      message: /\bTotalRequests\b/,
      means: 'exhausted',
      why: 'the requests of 24 hours are used up',
      source: TOTAL,
    },
    { code: 'UNABLE_TO_LOCK_ROW', means: 'refused', why: 'the record is locked', source: LOCKS },
  ],
  limits: [{ adaptive: true, maxConcurrent: 25, source: LIMITS }],
  source: STATUSES,
});
