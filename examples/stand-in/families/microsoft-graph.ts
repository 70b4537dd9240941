import type { Family } from '../family.ts';

const error = (code: string, message: string) => ({
  error: { code, message, innerError: { date: '2026-01-01T00:00:00', 'request-id': 'a1', 'client-request-id': 'b2' } },
});
const isMail = (url: string) => url.includes('/messages');
const refuse = ({ waitMs }: { waitMs: number }) => ({
  status: 429,
  headers: { 'retry-after': String(Math.ceil(waitMs / 1_000)) },
  body: error('TooManyRequests', 'Too many requests'),
});

/** A mailbox: 10,000 calls in 10 minutes. All others: 50 at once, and 20 of them come back each second (more is not told anywhere). */
export const microsoftGraph: Family = {
  quotas: [
    {
      name: 'mailbox',
      kind: 'window',
      requests: 10_000,
      perMs: 600_000,
      key: ({ url }) => isMail(url) && '',
      refuse,
    },
    {
      name: 'directory',
      kind: 'bucket',
      requests: 50,
      perMs: 2_500,
      key: ({ url }) => !isMail(url) && '',
      refuse,
    },
  ],
  serve: () => ({ status: 200, headers: { 'request-id': 'a1' }, body: { value: [] } }),
  failures: [
    {
      title: 'A full storage',
      reply: {
        status: 507,
        headers: { 'request-id': 'a2' },
        body: error('quotaLimitReached', 'Insufficient space available'),
      },
    },
  ],
  calls: [
    { method: 'get', url: '/v1.0/groups' },
    { method: 'get', url: '/v1.0/me/messages' },
  ],
};
