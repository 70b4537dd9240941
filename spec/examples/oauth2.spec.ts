import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { OAuth2Client } from '@badgateway/oauth2-client';
import axios from 'axios';
import { attach, failureOf, type Token } from 'axios-holdfast';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { CLIENT, type OAuth2Server, startOAuth2Server } from '../../examples/oauth2-server.ts';
import { rejectionOf } from '../support/attached.ts';

const LIFE_SECONDS = 600;
const CALLS = 50;

async function parties(): Promise<{ server: OAuth2Server; oauth2: OAuth2Client }> {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
  onTestFinished(() => void vi.useRealTimers());
  const server = await startOAuth2Server(LIFE_SECONDS);
  onTestFinished(() => server.close());
  const oauth2 = new OAuth2Client({
    server: server.issuer,
    discoveryEndpoint: '/.well-known/openid-configuration',
    ...CLIENT,
  });
  return { server, oauth2 };
}

/** A user's client. With `saysWhen` it knows when its tokens expire; else it learns that from 401s. */
function signedIn(server: OAuth2Server, oauth2: OAuth2Client, refreshToken: string, saysWhen: boolean) {
  const client = axios.create({ baseURL: server.api });
  const refresh = async ({ token }: { token: Token }) => {
    const next = await oauth2.refreshToken({
      accessToken: token.value,
      expiresAt: null,
      refreshToken: token.refreshToken ?? null,
    });
    const { accessToken, expiresAt, refreshToken: another } = next;
    return {
      value: accessToken,
      refreshToken: another ?? undefined,
      expiresAt: saysWhen ? (expiresAt ?? undefined) : undefined,
    };
  };
  const holdfast = attach(client, { auth: { token: () => ({ value: 'none-yet', refreshToken }), refresh } });
  const many = () => Promise.all(Array.from({ length: CALLS }, () => client.get('/orders')));
  return { client, holdfast, many };
}

/** The server runs in this process: the time of day is the same for both, and no token expires while nobody says so. */
const expire = () => vi.setSystemTime(Date.now() + (LIFE_SECONDS + 1) * 1_000);

describe('a real authorization server that detects the reuse of refresh tokens', () => {
  it('revokes the grant when one is used twice: what would happen without a single flight', async () => {
    const { server, oauth2 } = await parties();
    const { refreshToken } = await server.signIn('ada');
    const stale = { accessToken: '', expiresAt: null, refreshToken };
    const { refreshToken: next } = await oauth2.refreshToken(stale);
    expect(next).not.toBe(refreshToken);
    expect(await rejectionOf(oauth2.refreshToken(stale))).toMatchObject({ oauth2Code: 'invalid_grant' });
    expect(await rejectionOf(oauth2.refreshToken({ ...stale, refreshToken: next }))).toMatchObject({
      oauth2Code: 'invalid_grant',
    });
    expect(server.revoked).toBe(1);
  });

  it.each([
    ['learnt from 401s', false],
    ['known beforehand', true],
  ])('grants one refresh for 50 calls over each expiry, %s, and logs nobody out', async (_title, saysWhen) => {
    const { server, oauth2 } = await parties();
    const { refreshToken } = await server.signIn('ada');
    const { holdfast, many } = signedIn(server, oauth2, refreshToken, saysWhen);
    for (const round of [1, 2, 3]) {
      if (round > 1) expire();
      expect((await many()).map(({ status }) => status)).toEqual(Array(CALLS).fill(200));
      expect(server.granted).toEqual({ refresh_token: round });
    }
    expect(server.revoked).toBe(0);
    // The very first 401s are real; afterwards a known expiry spares them.
    expect(server.unauthorized).toBe(saysWhen ? CALLS : 3 * CALLS);
    expect(holdfast.stats()).toMatchObject({ refreshes: 3, retries: 0, replays: saysWhen ? CALLS : 3 * CALLS });
  });

  it('gets client credentials once for 50 calls over each expiry', async () => {
    const { server, oauth2 } = await parties();
    const client = axios.create({ baseURL: server.api });
    const refresh = async () => (await oauth2.clientCredentials()).accessToken;
    attach(client, { auth: { token: () => 'none-yet', refresh } });
    for (const round of [1, 2]) {
      if (round > 1) expire();
      const all = await Promise.all(Array.from({ length: CALLS }, () => client.get('/catalogue')));
      expect(all.map(({ data }) => data)).toEqual(Array(CALLS).fill({ client: CLIENT.clientId }));
      expect(server.granted).toEqual({ client_credentials: round });
    }
  });

  it('asks once when the refresh token is no good, and every call says why', async () => {
    const { server, oauth2 } = await parties();
    const { client, holdfast } = signedIn(server, oauth2, 'made up', true);
    const asked: unknown[] = [];
    holdfast.on('refreshing', (event) => asked.push(event));
    const all = await Promise.all(Array.from({ length: CALLS }, () => rejectionOf(client.get('/orders'))));
    for (const error of all) {
      expect(error).toMatchObject({ code: 'ERR_TOKEN_REFRESH', cause: { oauth2Code: 'invalid_grant', httpCode: 400 } });
      expect(error).toMatchObject({
        response: { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } },
      });
      expect(failureOf(error)?.endedBecause).toBe('refresh-failed');
    }
    expect(asked).toHaveLength(1);
  });
});

describe('examples/oauth2.ts', () => {
  it('runs, and says what came of it', async () => {
    const root = fileURLToPath(new URL('../..', import.meta.url));
    const run = promisify(execFile)(process.execPath, ['--import', 'tsx', 'examples/oauth2.ts'], { cwd: root });
    const { stdout } = await run;
    // Three on a machine that is not too busy to make a hundred calls in the life of a token.
    const [, byUser, byService] = /Round 3: 100 calls, all answered; (\d+) \+ (\d+) refreshes/.exec(stdout) ?? [];
    expect(Number(byUser)).toBeGreaterThanOrEqual(3);
    expect(Number(byService)).toBeGreaterThanOrEqual(3);
    expect(stdout).toContain(`The server granted ${byUser} + ${byService} tokens; 0 users were logged out.`);
  });
});
