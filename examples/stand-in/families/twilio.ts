import type { Family } from '../family.ts';

const error = (code: number, message: string) => ({
  code,
  message,
  more_info: `https://www.twilio.com/docs/errors/${code}`,
  status: 429,
});

/** Twilio counts requests under way; here it is 50 a second. Nothing tells what is left, nor for how long to wait. */
export const twilio: Family = {
  quotas: [
    {
      name: 'account',
      kind: 'bucket',
      requests: 50,
      perMs: 1_000,
      refuse: () => ({ status: 429, body: error(20429, 'Too Many Requests') }),
    },
  ],
  serve: ({ method }) => ({ status: method === 'POST' ? 201 : 200, body: { sid: 'SM1', status: 'queued' } }),
  failures: [
    {
      title: 'A code was sent five times: a 429 that no wait of a call helps against',
      reply: { status: 429, body: error(60203, 'Max send attempts reached') },
    },
  ],
  calls: [
    { method: 'post', url: '/2010-04-01/Accounts/AC1/Messages.json', data: { Body: 'Hello', To: '+15558675310' } },
  ],
};
