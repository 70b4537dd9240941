import type { Asked, Family } from '../family.ts';

const isMessage = ({ url }: Asked) => url.includes('/chat.postMessage');

const refuse = ({ waitMs }: { waitMs: number }) => ({
  status: 429,
  headers: { 'retry-after': String(Math.ceil(waitMs / 1_000)) },
  body: { ok: false, error: 'ratelimited' },
});

/** A message a second, with bursts of three, and 50 other calls a minute. Nothing says what is left. */
export const slack: Family = {
  quotas: [
    {
      name: 'messages',
      kind: 'bucket',
      requests: 3,
      perMs: 3_000,
      key: (asked) => isMessage(asked) && (/channel(?:":"|=)(\w+)/.exec(asked.body)?.[1] ?? ''),
      refuse,
    },
    { name: 'calls', kind: 'window', requests: 50, perMs: 60_000, key: (asked) => !isMessage(asked) && '', refuse },
  ],
  serve: (asked) => ({
    status: 200,
    body: isMessage(asked) ? { ok: true, channel: 'C1', ts: '1767225600.000100' } : { ok: true, messages: [] },
  }),
  failures: [
    {
      title: 'A 200 that failed, and may have posted the message all the same',
      reply: { status: 200, body: { ok: false, error: 'internal_error' } },
    },
  ],
  calls: [
    { method: 'post', url: '/api/chat.postMessage', data: { channel: 'C1', text: 'Hello' } },
    { method: 'get', url: '/api/conversations.history?channel=C1' },
  ],
};
