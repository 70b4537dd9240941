import { reportOf } from 'axios-holdfast';
import { twilio } from 'axios-holdfast/presets';
import { describe, expect, it } from 'vitest';
import { twilio as family } from '../../examples/stand-in/families/twilio.ts';
import { conversations, talk, traffic } from './conversation.ts';

const CONCURRENCY = 'https://www.twilio.com/docs/api/errors/20429';

const error = (code: number, status = 429) => ({
  code,
  message: 'No.',
  more_info: `https://www.twilio.com/docs/errors/${code}`,
  status,
});
const post = { method: 'post', url: '/2010-04-01/Accounts/AC1/Messages.json', data: { Body: 'Hello' } };

describe('twilio', () => {
  conversations(family, twilio, [
    {
      fact: 'too many requests at once are a 429, which is sent again whatever the method, without a time',
      source: CONCURRENCY,
      call: post,
      answers: [{ status: 429, body: error(20429) }],
      means: 'throttled',
      code: '20429',
      waits: [undefined],
    },
    {
      fact: 'some APIs name a time',
      source: 'https://www.twilio.com/docs/bulk-messaging/api/seek-message-resource',
      call: post,
      answers: [
        {
          status: 429,
          headers: { 'retry-after': '3' },
          body: { errors: [{ code: 20429, message: 'Too many requests.', infoUrl: CONCURRENCY, context: 'null' }] },
        },
      ],
      means: 'throttled',
      code: '20429',
      waits: [3_000],
      pauses: true,
    },
    ...(
      [
        [60203, 'the verification was sent too often'],
        [60202, 'the verification was checked too often'],
        [21611, 'messages of 10 hours are queued'],
      ] as const
    ).map(([code, says]) => ({
      fact: `${code} ends the call, and pauses nobody`,
      source: `https://www.twilio.com/docs/api/errors/${code}`,
      call: post,
      answers: [{ status: 429, body: error(code) }] as const,
      sends: 1,
      kind: 'throttled' as const,
      code: String(code),
      pauses: false,
      says: `throttled for good (${says})`,
    })),
    {
      fact: 'a wrong request is not retried',
      source: 'https://www.twilio.com/docs/api/errors/21211',
      call: post,
      answers: [{ status: 400, body: error(21211, 400) }],
      sends: 1,
      kind: 'rejected',
      code: '21211',
    },
  ]);

  it(`keeps accounts apart (${CONCURRENCY})`, async () => {
    const { server, client, clock } = await talk(family, twilio());
    server.script({ status: 429, headers: { 'retry-after': '9' }, body: error(20429) });
    await clock.run(client.request({ ...post, holdfast: { retry: false } }).catch(() => {}));
    const other = await client.get('/2010-04-01/Accounts/AC2/Messages.json');
    expect(reportOf(other)).toMatchObject({ queuedMs: 0, elapsedMs: 0 });
  });

  it('learns what an account takes, though nothing tells it', async () => {
    const { goodput, refused, served } = await traffic(family, twilio(), { ms: 20_000, calls: 1_500 });
    expect(refused / served).toBeLessThanOrEqual(0.1);
    expect(goodput).toBeGreaterThanOrEqual(0.8);
  });
});
