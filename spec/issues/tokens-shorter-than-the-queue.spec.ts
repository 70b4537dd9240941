import { AxiosHeaders } from 'axios';
import { expect, it } from 'vitest';
import { scripted } from '../support/scripted.ts';

it('a told quota is kept where tokens live no longer than the queue is long', async () => {
  const sentAt: number[] = [];
  const expiries = new Map<string, number>();
  let made = 0;
  const fresh = () => {
    const value = `token-${++made}`;
    const expiresAt = subject.clock.wall() + 150;
    expiries.set(value, expiresAt);
    return { value, expiresAt };
  };
  let first: { value: string; expiresAt: number } | undefined;
  const subject = scripted(
    (_, config) => {
      sentAt.push(subject.clock.now());
      const token = String(AxiosHeaders.from(config.headers).get('authorization')).replace('Bearer ', '');
      return subject.clock.wall() < Number(expiries.get(token)) ? 200 : 401;
    },
    {
      retry: false,
      limit: { requests: 1, perMs: 100 },
      auth: {
        token: () => {
          first ??= fresh();
          return first;
        },
        refresh: () => new Promise((resolve) => subject.clock.after(1_000, () => resolve(fresh()))),
      },
    },
  );
  const calls = Promise.all(Array.from({ length: 6 }, () => subject.client.get('/')));
  const responses = await subject.clock.run(calls);
  expect(responses.map(({ status }) => status)).toEqual(Array(6).fill(200));
  for (const [n, at] of sentAt.slice(1).entries()) expect(at - Number(sentAt[n])).toBeGreaterThanOrEqual(100);
});
