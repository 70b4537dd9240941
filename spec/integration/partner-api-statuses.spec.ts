import { failureOf, mergePolicies, partnerApi } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { axiosErrorOf } from '../support/attached.ts';
import { partner } from '../support/partner-api.ts';

const ONCE = { get: 1, post: 1 };
const GET_AGAIN = { get: 4, post: 1 };
const ALL_AGAIN = { get: 4, post: 4 };

/** Sends by method where the server goes on answering so: by default, and by the older edition. */
const FAILURES = [
  ...[400, 403, 404, 405, 406, 409, 410, 412, 417, 500, 501].flatMap((status) => [
    { status, retryAfter: '', byDefault: ONCE, strict: ONCE },
    { status, retryAfter: 2, byDefault: ONCE, strict: ONCE },
  ]),
  { status: 401, retryAfter: '', byDefault: ONCE, strict: ONCE },
  { status: 429, retryAfter: '', byDefault: ALL_AGAIN, strict: ALL_AGAIN },
  { status: 429, retryAfter: 2, byDefault: ALL_AGAIN, strict: ALL_AGAIN },
  { status: 502, retryAfter: '', byDefault: GET_AGAIN, strict: ONCE },
  { status: 502, retryAfter: 2, byDefault: GET_AGAIN, strict: ONCE },
  { status: 503, retryAfter: '', byDefault: GET_AGAIN, strict: ONCE },
  { status: 503, retryAfter: 2, byDefault: ALL_AGAIN, strict: ALL_AGAIN },
  { status: 504, retryAfter: '', byDefault: GET_AGAIN, strict: ONCE },
  { status: 504, retryAfter: 2, byDefault: GET_AGAIN, strict: GET_AGAIN },
];
const CASES = FAILURES.flatMap(({ byDefault, strict, ...row }) =>
  (['get', 'post'] as const).flatMap((method) => [
    { ...row, method, edition: 'by default', policy: partnerApi(), sends: byDefault[method] },
    { ...row, method, edition: 'strictly', policy: partnerApi({ strict: true }), sends: strict[method] },
  ]),
);

describe('the status table of the Partner API', () => {
  it.each([200, 201, 204])('%i is a success', async (status) => {
    const { server, client } = await partner();
    expect((await client.get(`/v1/status/${status}`)).status).toBe(status);
    expect(server.counters.requests).toBe(1);
  });

  it.each(CASES)(
    '$status (Retry-After: $retryAfter) to a $method is sent $sends times $edition',
    async ({ status, retryAfter, method, policy, sends }) => {
      const { server, client, delays } = await partner(policy);

      const error = await axiosErrorOf(client.request({ method, url: `/v1/status/${status}`, params: { retryAfter } }));

      expect(error.response?.status).toBe(status);
      expect(server.counters.byStatus).toEqual({ [status]: sends });
      expect(failureOf(error)).toMatchObject({ status, sends });
      expect(delays).toHaveLength(sends - 1);
      if (retryAfter === 2) expect(delays.every((ms) => ms === 2_000)).toBe(true);
    },
  );

  it('says why a POST is not repeated after a 502 or 504, but is after a 503 that says when', async () => {
    const { client } = await partner();
    const endings = [];
    for (const query of ['502?', '504?retryAfter=2', '503?retryAfter=2']) {
      endings.push(failureOf(await axiosErrorOf(client.post(`/v1/status/${query}`)))?.endedBecause);
    }
    expect(endings).toEqual(['unsafe-method', 'unsafe-method', 'retries-exhausted']);
  });

  it('yields to the policy that is laid over the preset', async () => {
    const mine = { statuses: { 404: 'retry', 502: 'retry', 503: 'fail' }, retry: { maxRetries: 1 } } as const;
    const { server, client } = await partner(mergePolicies(partnerApi({ strict: true }), mine));
    for (const status of [404, 502]) await axiosErrorOf(client.get(`/v1/status/${status}`));
    await axiosErrorOf(client.get('/v1/status/503?retryAfter=1'));
    expect(server.counters.byStatus).toEqual({ 404: 2, 502: 2, 503: 1 });
  });

  it('has its own judges asked after those of the policy that is laid over it', async () => {
    const mine = mergePolicies(partnerApi(), { classify: () => ({ kind: 'permanent', reason: 'mine' }) });
    const { server, client, holdfast } = await partner(mine);
    const reasons: unknown[] = [];
    holdfast.on('answered', ({ reason }) => reasons.push(reason));
    await axiosErrorOf(client.get('/v1/status/409?code=800064'));
    expect(server.counters.requests).toBe(1);
    expect(reasons).toEqual(['mine']);
  });
});
