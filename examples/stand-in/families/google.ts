import type { Family } from '../family.ts';

const CODE = 'userRateLimitExceeded';

/** 600 requests a minute for a user, 60 of them at once. Nothing tells what is left. */
export const google: Family = {
  quotas: [
    {
      name: 'user',
      kind: 'bucket',
      requests: 60,
      perMs: 10_000,
      refuse: () => ({
        status: 403,
        body: {
          error: {
            code: 403,
            message: 'User Rate Limit Exceeded',
            errors: [{ domain: 'usageLimits', reason: CODE, message: 'User Rate Limit Exceeded' }],
          },
        },
      }),
    },
  ],
  serve: () => ({ status: 200, body: { kind: 'calendar#events', items: [] } }),
  failures: [
    {
      title: 'The quota of the day is used up: no wait of a call helps',
      reply: {
        status: 403,
        body: {
          error: {
            code: 403,
            message: 'Daily Limit Exceeded',
            errors: [{ domain: 'usageLimits', reason: 'dailyLimitExceeded', message: 'Daily Limit Exceeded' }],
          },
        },
      },
    },
  ],
  calls: [{ method: 'get', url: '/calendar/v3/calendars/primary/events' }],
};
