import { type BeforeSend, failureOf, type Policy } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { attached, rejectionOf, status } from '../support/attached.ts';

/** As JavaScript allows it. */
const giving = (give: (argument: Parameters<BeforeSend>[0]) => unknown): Policy => ({ beforeSend: give as BeforeSend });

describe('a beforeSend that gives something', () => {
  it.each<[string, (argument: Parameters<BeforeSend>[0]) => unknown]>([
    ['an object', ({ config }) => ({ ...config, headers: { 'X-Signature': 's' } })],
    ['an object', async ({ config }) => config],
    ['an instance of AxiosHeaders', ({ config }) => config.headers.set('X-Signature', 's')],
    ['a string', () => 'hunter2'],
    ['null', () => null],
  ])('is told so, for it gave %s, and nothing is sent', async (what, give) => {
    const { client, server } = await attached(status(200), giving(give));
    const error = await rejectionOf(client.get('/'));
    expect(error).toEqual(
      new TypeError(`beforeSend must change \`config\` in place and give nothing, or false to stop; it gave ${what}`),
    );
    expect(server.seen).toHaveLength(0);
    expect(failureOf(error)).toMatchObject({ sends: 0, endedBecause: 'not-retryable' });
  });

  it('is let be where it gives nothing, now or later', async () => {
    const { client, server } = await attached(status(200), { beforeSend: [() => {}, async () => {}, () => undefined] });
    await client.get('/');
    expect(server.seen).toHaveLength(1);
  });
});
