import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type ErrorShape,
  type PartnerApi,
  type PartnerApiOptions,
  startPartnerApi,
} from '../../examples/partner-api/server.ts';

const running: PartnerApi[] = [];

async function start(options?: PartnerApiOptions): Promise<PartnerApi> {
  const api = await startPartnerApi(options);
  running.push(api);
  return api;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((api) => api.close()));
});

const ORDERS = '/v1/customers/c1/orders';

function write(url: string, method: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return fetch(url, { method, body: text, headers: { 'Content-Type': 'application/json', ...headers } });
}

function bearer(token: string): RequestInit {
  return { headers: { Authorization: `Bearer ${token}` } };
}

function askToken(api: PartnerApi, form: Record<string, string>): Promise<Response> {
  return fetch(`${api.url}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) });
}

async function statusesOf(...calls: (() => Promise<Response>)[]): Promise<number[]> {
  const statuses: number[] = [];
  for (const call of calls) statuses.push((await call()).status);
  return statuses;
}

describe('customers and orders', () => {
  it('lists the customers it was given', async () => {
    const api = await start({ customers: ['contoso', 'fabrikam'] });
    const response = await fetch(`${api.url}/v1/customers`);
    expect(await response.json()).toMatchObject({ totalCount: 2, items: [{ id: 'contoso' }, { id: 'fabrikam' }] });
  });

  it('has the same resources under both families', async () => {
    const api = await start();
    expect(await (await fetch(`${api.url}/v1/customers/c2`)).json()).toMatchObject({ id: 'c2' });
    expect(await (await fetch(`${api.url}/rest/customers/c2`)).json()).toMatchObject({ id: 'c2' });
  });

  it('answers 404 for what does not exist and 405, with Allow, for what cannot be done', async () => {
    const api = await start();
    expect((await fetch(`${api.url}/v1/customers/nobody`)).status).toBe(404);
    expect((await fetch(`${api.url}/v1/customers/c1/orders/o1`)).status).toBe(404);
    expect((await fetch(`${api.url}/nowhere`)).status).toBe(404);

    const refused = await fetch(`${api.url}/v1/customers`, { method: 'DELETE' });
    expect(refused.status).toBe(405);
    expect(refused.headers.get('Allow')).toBe('GET');
  });

  it('answers HEAD like GET, without a body', async () => {
    const api = await start();
    const response = await fetch(`${api.url}/v1/customers`, { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('');
  });

  it('gives an order an ETag that changes with it', async () => {
    const api = await start();
    const placed = await write(api.url + ORDERS, 'POST', { sku: 'a' });
    expect(placed.status).toBe(201);
    const { id } = (await placed.json()) as { id: string };

    const url = `${api.url}${ORDERS}/${id}`;
    const read = await fetch(url);
    const etag = read.headers.get('ETag') ?? '';
    expect(etag).toBe(placed.headers.get('ETag'));
    expect(await read.json()).toEqual({ sku: 'a', id, customerId: 'c1', attributes: { etag } });

    const changed = await write(url, 'PATCH', { quantity: 2 }, { 'If-Match': etag });
    expect(await changed.json()).toMatchObject({ sku: 'a', quantity: 2 });
    expect(changed.headers.get('ETag')).not.toBe(etag);
  });

  it('merges on PATCH and replaces on PUT', async () => {
    const api = await start();
    await write(api.url + ORDERS, 'POST', { sku: 'a', quantity: 1 });
    const url = `${api.url}${ORDERS}/o1`;
    const patched = await write(url, 'PATCH', { quantity: 2 }, { 'If-Match': '*' });
    expect(await patched.json()).toMatchObject({ sku: 'a', quantity: 2 });
    const replaced = await write(url, 'PUT', { quantity: 3 }, { 'If-Match': '*' });
    expect(await replaced.json()).not.toHaveProperty('sku');
  });

  it('refuses a missing or stale If-Match with 412 and changes nothing', async () => {
    const api = await start();
    await write(api.url + ORDERS, 'POST', { quantity: 1 });
    const url = `${api.url}${ORDERS}/o1`;
    const missing = await write(url, 'PATCH', { quantity: 2 });
    const stale = await write(url, 'PUT', { quantity: 2 }, { 'If-Match': '"o1.0"' });
    expect([missing.status, stale.status]).toEqual([412, 412]);
    expect(await stale.json()).toMatchObject({ code: '800036' });
    expect(await (await fetch(url)).json()).toMatchObject({ quantity: 1 });
  });

  it('can refuse a stale If-Match with the 400 that means 412', async () => {
    const api = await start({ staleEtag: 400 });
    await write(api.url + ORDERS, 'POST', {});
    const stale = await write(`${api.url}${ORDERS}/o1`, 'PATCH', {}, { 'If-Match': '"o1.0"' });
    expect(stale.status).toBe(400);
    expect(await stale.json()).toMatchObject({ code: '2055' });
  });
});

describe('ids of requests', () => {
  it('answers an order placed again under its MS-RequestId with the first one', async () => {
    const api = await start();
    const first = await write(api.url + ORDERS, 'POST', { sku: 'a' }, { 'MS-RequestId': 'r1' });
    const again = await write(api.url + ORDERS, 'POST', { sku: 'a' }, { 'MS-RequestId': 'r1' });
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(await again.json()).toEqual(await first.json());
    expect(api.counters).toMatchObject({ ordersCreated: 1, ordersRepeated: 1, repeatedRequestIds: 1 });
    expect(api.counters.byRequestId).toEqual({ r1: 2 });
  });

  it('creates one order per id, and one per request without any', async () => {
    const api = await start();
    await write(api.url + ORDERS, 'POST', {}, { 'MS-RequestId': 'r1' });
    await write(api.url + ORDERS, 'POST', {}, { 'MS-RequestId': 'r2' });
    await write(api.url + ORDERS, 'POST', {});
    await write(api.url + ORDERS, 'POST', {});
    expect(api.counters).toMatchObject({ ordersCreated: 4, ordersRepeated: 0, repeatedRequestIds: 0 });
  });

  it('does not remember an id whose order was refused', async () => {
    const api = await start();
    await write(api.url + ORDERS, 'POST', '{', { 'MS-RequestId': 'r1' });
    await write(api.url + ORDERS, 'POST', {}, { 'MS-RequestId': 'r1' });
    expect(api.counters).toMatchObject({ ordersCreated: 1, ordersRepeated: 0, repeatedRequestIds: 1 });
  });

  it('echoes the ids under the names of the family', async () => {
    const api = await start();
    const older = await fetch(`${api.url}/v1/customers`, {
      headers: { 'MS-RequestId': 'r1', 'MS-CorrelationId': 'c1' },
    });
    expect([older.headers.get('MS-RequestId'), older.headers.get('MS-CorrelationId')]).toEqual(['r1', 'c1']);

    const newer = await fetch(`${api.url}/rest/status/503`, {
      headers: { 'client-request-id': 'r2', 'request-id': 'c2' },
    });
    expect([newer.headers.get('client-request-id'), newer.headers.get('request-id')]).toEqual(['r2', 'c2']);
  });
});

describe('tokens', () => {
  it('asks for a token with the documented challenge and code', async () => {
    const api = await start({ requireAuth: true });
    const response = await fetch(`${api.url}/v1/customers`);
    expect(response.status).toBe(401);
    expect(response.headers.get('WWW-Authenticate')).toMatch(/^OAuth realm=urn:cpsvc:cpid:\{[0-9a-f-]+\}$/);
    expect(await response.json()).toMatchObject({ code: '800001' });
  });

  it('refuses a token it did not issue, under another code than a missing one', async () => {
    const api = await start({ requireAuth: true });
    const response = await fetch(`${api.url}/v1/customers`, bearer('made-up'));
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: 'unAuthorized' });
  });

  it('accepts a token until its time to live is over', async () => {
    let time = 0;
    const api = await start({ requireAuth: true, tokenTtlMs: 60_000, now: () => time });
    const grant = api.consent();
    expect(grant.expires_in).toBe(60);
    const call = () => fetch(`${api.url}/v1/customers`, bearer(grant.access_token));
    time = 59_999;
    expect((await call()).status).toBe(200);
    time = 60_000;
    expect((await call()).status).toBe(401);
  });

  it('ends every access token on expireTokens, and renews by refresh token', async () => {
    const api = await start({ requireAuth: true });
    const grant = api.consent();
    api.expireTokens();
    expect((await fetch(`${api.url}/v1/customers`, bearer(grant.access_token))).status).toBe(401);

    const response = await askToken(api, { grant_type: 'refresh_token', refresh_token: grant.refresh_token });
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    const renewed = (await response.json()) as { access_token: string; refresh_token: string };
    expect(renewed.refresh_token).toBe(grant.refresh_token);
    expect((await fetch(`${api.url}/v1/customers`, bearer(renewed.access_token))).status).toBe(200);
    expect(api.counters.refreshes).toBe(1);
  });

  it('grants a token for client credentials, without a refresh token', async () => {
    const api = await start({ requireAuth: true });
    const response = await askToken(api, { grant_type: 'client_credentials', client_id: 'app', client_secret: 's' });
    const grant = (await response.json()) as { access_token: string };
    expect(grant).not.toHaveProperty('refresh_token');
    expect((await fetch(`${api.url}/v1/customers`, bearer(grant.access_token))).status).toBe(200);
  });

  it('takes a rotated refresh token once', async () => {
    const api = await start({ rotateRefreshTokens: true });
    const form = { grant_type: 'refresh_token', refresh_token: api.consent().refresh_token };
    const first = await askToken(api, form);
    const again = await askToken(api, form);
    expect([first.status, again.status]).toEqual([200, 400]);
    expect(await again.json()).toMatchObject({ error: 'invalid_grant' });

    const { refresh_token } = (await first.json()) as { refresh_token: string };
    expect((await askToken(api, { ...form, refresh_token })).status).toBe(200);
    expect(api.counters.refreshes).toBe(2);
  });

  it.each([
    [400, 'unsupported_grant_type', new URLSearchParams({ grant_type: 'password' })],
    [400, 'invalid_grant', new URLSearchParams({ grant_type: 'refresh_token' })],
    [401, 'invalid_client', new URLSearchParams({ grant_type: 'client_credentials' })],
    [400, 'invalid_request', JSON.stringify({ grant_type: 'refresh_token' })],
  ])('refuses a bad token request with %i %s', async (status, error, body) => {
    const api = await start();
    const response = await fetch(`${api.url}/oauth/token`, { method: 'POST', body });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error });
    expect(api.counters.refreshes).toBe(0);
  });
});

describe('throttling', () => {
  it('refuses what exceeds the quota as the gateway does, until the window has passed', async () => {
    let time = 0;
    const api = await start({ quota: { requests: 2, perMs: 60_000 }, now: () => time });
    const call = () => fetch(`${api.url}/v1/customers`);
    expect(await statusesOf(call, call)).toEqual([200, 200]);

    time = 2_500;
    const refused = await call();
    expect(refused.status).toBe(429);
    expect(refused.headers.get('Retry-After')).toBe('58');
    expect(await refused.json()).toEqual({
      statusCode: 429,
      message: 'Rate limit is exceeded. Try again in 58 seconds.',
    });

    time = 59_999;
    expect((await call()).status).toBe(429);
    time = 60_000;
    expect(await statusesOf(call, call, call)).toEqual([200, 200, 429]);
  });

  it('can leave the header out, so that the sentence is the only hint', async () => {
    const api = await start({ quota: { requests: 0, perMs: 1_000 }, retryAfterHeader: false, now: () => 0 });
    const response = await fetch(`${api.url}/v1/customers`);
    expect(response.headers.has('Retry-After')).toBe(false);
    expect(await response.json()).toMatchObject({ message: 'Rate limit is exceeded. Try again in 1 seconds.' });
  });

  it('counts each API, partner tenant and customer tenant apart', async () => {
    const api = await start({ quota: { requests: 1, perMs: 1_000 }, now: () => 0 });
    const as = (tenant: string) => bearer(api.consent(tenant).access_token);
    const buckets = [
      () => fetch(`${api.url}/v1/customers`),
      () => fetch(`${api.url}/rest/customers`),
      () => fetch(`${api.url}/v1/customers/c1`),
      () => fetch(`${api.url}/v1/customers/c2`),
      () => fetch(`${api.url}/v1/customers`, as('p1')),
      () => fetch(`${api.url}/v1/customers`, as('p2')),
    ];
    expect(await statusesOf(...buckets)).toEqual(buckets.map(() => 200));
    expect(await statusesOf(...buckets)).toEqual(buckets.map(() => 429));
  });

  it('throttles writes sooner', async () => {
    const api = await start({
      quota: { requests: 4, perMs: 1_000 },
      writeQuota: { requests: 1, perMs: 1_000 },
      now: () => 0,
    });
    const read = () => fetch(`${api.url}/v1/customers/c1`);
    const place = () => write(api.url + ORDERS, 'POST', {});
    expect(await statusesOf(place, place, read, read, read)).toEqual([201, 429, 200, 200, 429]);
    expect(api.counters.ordersCreated).toBe(1);
  });

  it('leaves the token endpoint and statuses on demand alone', async () => {
    const api = await start({ requireAuth: true, quota: { requests: 0, perMs: 1_000 } });
    expect((await fetch(`${api.url}/status/200`)).status).toBe(200);
    const { refresh_token } = api.consent();
    expect((await askToken(api, { grant_type: 'refresh_token', refresh_token })).status).toBe(200);
  });
});

describe('error bodies', () => {
  const message = 'The resource is being processed by another request.';
  const flat = { code: '800064', description: message, data: [], source: 'PartnerAPI' };
  const nested = {
    error: { code: 'conflict', message, target: 'partner', innerError: { code: '800064', message } },
  };
  const legacy = {
    code: '800064',
    description: message,
    data: { status: '409' },
    Source: 'PartnerAPI',
    other_errors: [{ error_code: '800064', message, parameters: {} }],
  };
  const gateway = { statusCode: 409, message };

  it('are flat on the older routes and nested on the newer ones', async () => {
    const api = await start();
    expect(await (await fetch(`${api.url}/v1/status/409?code=800064`)).json()).toEqual(flat);
    expect(await (await fetch(`${api.url}/rest/status/409?code=800064`)).json()).toEqual(nested);
  });

  it.each<[ErrorShape, object]>([
    ['flat', flat],
    ['nested', nested],
    ['legacy', legacy],
    ['gateway', gateway],
  ])('are %s for a query, a header or an option that says so', async (shape, body) => {
    const api = await start();
    const url = `${api.url}/status/409?code=800064`;
    expect(await (await fetch(`${url}&shape=${shape}`)).json()).toEqual(body);
    expect(await (await fetch(url, { headers: { 'X-Error-Shape': shape } })).json()).toEqual(body);

    const optioned = await start({ shape });
    expect(await (await fetch(`${optioned.url}/rest/status/409?code=800064`)).json()).toEqual(body);
  });

  it('name the status where no code is given', async () => {
    const api = await start();
    expect(await (await fetch(`${api.url}/v1/customers/nobody`)).json()).toMatchObject({ code: 'notFound' });
    const newer = await (await fetch(`${api.url}/rest/customers/nobody`)).json();
    expect(newer).toEqual({
      error: { code: 'notFound', message: 'The resource was not found.', target: 'partner' },
    });
  });
});

describe('statuses on demand', () => {
  it.each([400, 401, 403, 404, 405, 406, 409, 410, 412, 417, 429, 500, 501, 502, 503, 504])(
    'answers %i with a body that has its code, description and source',
    async (status) => {
      const api = await start();
      const response = await fetch(`${api.url}/status/${status}`, { method: 'POST' });
      expect(response.status).toBe(status);
      expect(await response.json()).toEqual({
        code: expect.stringMatching(/\w/),
        description: expect.stringMatching(/\w/),
        data: [],
        source: 'PartnerAPI',
      });
    },
  );

  it.each([200, 202, 204, 304])('answers %i without an error', async (status) => {
    const api = await start();
    const response = await fetch(`${api.url}/status/${status}`);
    expect(response.status).toBe(status);
    expect(await response.text()).not.toContain('code');
    const hasBody = status !== 204 && status !== 304;
    expect([response.headers.has('Content-Type'), response.headers.has('Content-Length')]).toEqual([hasBody, hasBody]);
  });

  it('succeeds after as many failures as asked for', async () => {
    const api = await start();
    const call = () => fetch(`${api.url}/status/503?succeedAfter=2`);
    expect(await statusesOf(call, call, call, call)).toEqual([503, 503, 200, 200]);
  });

  it('counts the failures of each key apart', async () => {
    const api = await start();
    const call = (key: string) => () => fetch(`${api.url}/status/503?succeedAfter=1&key=${key}`);
    expect(await statusesOf(call('a'), call('b'), call('a'), call('b'))).toEqual([503, 503, 200, 200]);
  });

  it('says when to come back, in the header and in the gateway sentence', async () => {
    const api = await start();
    const response = await fetch(`${api.url}/status/429?retryAfter=7&shape=gateway`);
    expect(response.headers.get('Retry-After')).toBe('7');
    expect(await response.json()).toMatchObject({ message: 'Rate limit is exceeded. Try again in 7 seconds.' });

    const other = await fetch(`${api.url}/status/503?retryAfter=7&shape=gateway`);
    expect(await other.json()).toEqual({ statusCode: 503, message: 'The service is unavailable.' });

    const date = 'Wed, 21 Oct 2015 07:28:00 GMT';
    const dated = await fetch(`${api.url}/status/503?retryAfter=${encodeURIComponent(date)}`);
    expect(dated.headers.get('Retry-After')).toBe(date);
  });

  it.each(['/status/99', '/status/600', '/status/teapot', '/status/503?succeedAfter=-1', '/status/503?retryAfter=%0A'])(
    'refuses %s with 400',
    async (path) => {
      const api = await start();
      const response = await fetch(api.url + path);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: 'badRequest' });
    },
  );
});

describe('the script', () => {
  it('plays each step as often as it says, in order, and then leaves the API alone', async () => {
    const api = await start();
    api.script(
      { kind: 'answer', status: 500, times: 0 },
      { kind: 'answer', status: 503, times: 2 },
      { kind: 'pass' },
      { kind: 'answer', status: 502 },
    );
    const call = () => fetch(`${api.url}/v1/customers`);
    expect(await statusesOf(call, call, call, call, call)).toEqual([503, 503, 200, 502, 200]);
  });

  it('keeps a step for the requests it matches', async () => {
    const api = await start();
    api.script({ kind: 'answer', status: 500, match: ({ method }) => method === 'POST' });
    const read = () => fetch(`${api.url}/v1/customers`);
    const place = () => write(api.url + ORDERS, 'POST', {});
    expect(await statusesOf(read, place, read, place)).toEqual([200, 500, 200, 201]);
    expect(api.counters.ordersCreated).toBe(1);
  });

  it('answers with the documented body of a code, or with any other', async () => {
    const api = await start();
    api.script(
      { kind: 'answer', status: 409, code: '800060', retryAfter: 3, headers: { 'X-Extra': 'yes' } },
      { kind: 'answer', status: 502, body: '<html>', headers: { 'content-type': 'text/html' } },
      { kind: 'answer', status: 200, body: { patched: true } },
      { kind: 'answer', status: 503, body: undefined },
    );
    const documented = await fetch(`${api.url}/rest/customers`);
    expect(documented.headers.get('Retry-After')).toBe('3');
    expect(documented.headers.get('X-Extra')).toBe('yes');
    expect(await documented.json()).toMatchObject({ error: { innerError: { code: '800060' } } });

    const page = await fetch(`${api.url}/v1/customers`);
    expect(page.headers.get('Content-Type')).toBe('text/html');
    expect(await page.text()).toBe('<html>');
    expect(await (await fetch(`${api.url}/v1/customers`)).json()).toEqual({ patched: true });
    expect(await (await fetch(`${api.url}/v1/customers`)).text()).toBe('');
  });

  it('writes a header that has several lines', async () => {
    const api = await start();
    api.script({ kind: 'answer', status: 401, headers: { 'WWW-Authenticate': ['Basic', 'Bearer'] } });
    const response = await fetch(`${api.url}/v1/customers`);
    expect(response.headers.get('WWW-Authenticate')).toBe('Basic, Bearer');
  });

  it('drops a request on arrival, before anything is done', async () => {
    const api = await start();
    api.script({ kind: 'drop', when: 'on-arrival' });
    await expect(write(api.url + ORDERS, 'POST', {})).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
    expect(api.counters).toMatchObject({ requests: 1, ordersCreated: 0, byStatus: {} });
    expect(api.log[0]?.status).toBeNull();
  });

  it('loses an answer before its headers, with the order placed', async () => {
    const api = await start();
    api.script({ kind: 'drop', when: 'before-headers' });
    const place = () => write(api.url + ORDERS, 'POST', {}, { 'MS-RequestId': 'r1' });
    await expect(place()).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
    expect(api.counters).toMatchObject({ requests: 1, ordersCreated: 1, byStatus: {} });
    expect((await place()).status).toBe(201);
    expect(api.counters).toMatchObject({ ordersCreated: 1, ordersRepeated: 1 });
  });

  it('drops a connection inside a chunked body', async () => {
    const api = await start();
    api.script({ kind: 'drop', when: 'in-body' });
    const response = await fetch(`${api.url}/v1/customers`);
    expect(response.status).toBe(200);
    expect(response.headers.has('Content-Length')).toBe(false);
    await expect(response.text()).rejects.toThrow(TypeError);
  });

  it('truncates a body to half of what Content-Length announced', async () => {
    const api = await start();
    api.script({ kind: 'truncate' });
    const response = await fetch(`${api.url}/v1/customers`);
    expect(response.status).toBe(200);
    expect(Number(response.headers.get('Content-Length'))).toBeGreaterThan(0);
    await expect(response.text()).rejects.toThrow(TypeError);
  });

  it('holds back one answer and no other, with the order placed at once', async () => {
    const api = await start();
    api.script({ kind: 'pass', delayMs: 60_000 });
    const finished: string[] = [];
    const held = write(api.url + ORDERS, 'POST', {}).finally(() => finished.push('held'));
    const heldEnded = expect(held).rejects.toThrow(TypeError);
    await expect.poll(() => api.counters.ordersCreated, { interval: 1 }).toBe(1);
    await fetch(`${api.url}/v1/customers`).then(() => finished.push('next'));
    expect(finished).toEqual(['next']);
    await api.close();
    await heldEnded;
  });

  it('sends a held answer in the end', async () => {
    const api = await start();
    api.script({ kind: 'answer', status: 503, delayMs: 1 });
    const call = () => fetch(`${api.url}/v1/customers`);
    expect(await statusesOf(call, call)).toEqual([503, 200]);
  });

  it('gives up a held answer when the client goes away', async () => {
    const api = await start();
    api.script({ kind: 'pass', delayMs: 60_000 });
    const client = new AbortController();
    const call = fetch(`${api.url}/v1/customers`, { signal: client.signal });
    await expect.poll(() => api.counters.requests, { interval: 1 }).toBe(1);
    client.abort();
    await expect(call).rejects.toThrow('aborted');
    expect(api.log[0]?.status).toBeNull();
  });
});

describe('what it saw', () => {
  it('is counted by status and by route', async () => {
    const api = await start();
    await fetch(`${api.url}/v1/customers/c1`);
    await fetch(`${api.url}/v1/customers/c2?x=1`);
    await fetch(`${api.url}/v1/customers/nobody`);
    await fetch(`${api.url}/nowhere`);
    expect(api.counters).toMatchObject({
      requests: 4,
      byStatus: { 200: 2, 404: 2 },
      byRoute: { 'GET /v1/customers/{customer}': 3, 'GET (no route)': 1 },
    });
  });

  it('counts an id that is the name of a method like any other', async () => {
    const api = await start();
    await fetch(`${api.url}/v1/customers`, { headers: { 'MS-RequestId': 'constructor' } });
    expect(api.counters.byRequestId).toEqual({ constructor: 1 });
    expect(api.counters.repeatedRequestIds).toBe(0);
  });

  it('is logged with time, headers that matter, hash of the body and status', async () => {
    const api = await start({ now: () => 1_234 });
    const body = '{"sku":"a"}';
    await write(`${api.url}${ORDERS}?dry=1`, 'POST', body, { 'MS-RequestId': 'r1', 'X-Other': 'no' });
    expect(api.log).toEqual([
      {
        at: 1_234,
        method: 'POST',
        path: ORDERS,
        query: 'dry=1',
        headers: { 'content-type': 'application/json', 'ms-requestid': 'r1' },
        bodyLength: body.length,
        bodyHash: createHash('sha256').update(body).digest('hex'),
        status: 201,
      },
    ]);
  });

  it('is logged up to a bound, the oldest forgotten first', async () => {
    const api = await start({ logSize: 2 });
    for (const status of [200, 404, 503]) await fetch(`${api.url}/status/${status}`);
    expect(api.log.map(({ status }) => status)).toEqual([404, 503]);
    expect(api.counters.requests).toBe(3);
  });

  it('is forgotten on reset, with orders, script, statuses and quotas, but not the tokens', async () => {
    const api = await start({ requireAuth: true, quota: { requests: 1, perMs: 1_000 }, now: () => 0 });
    const { access_token, refresh_token } = api.consent();
    await askToken(api, { grant_type: 'refresh_token', refresh_token });
    expect(api.counters.refreshes).toBe(1);
    const customers = () => fetch(`${api.url}/v1/customers`, bearer(access_token));
    const failing = () => fetch(`${api.url}/status/503?succeedAfter=1`);
    await write(api.url + ORDERS, 'POST', {}, { Authorization: `Bearer ${access_token}` });
    expect(await statusesOf(customers, customers, failing, failing)).toEqual([200, 429, 503, 200]);
    api.script({ kind: 'answer', status: 500, times: Number.POSITIVE_INFINITY });

    api.reset();
    expect(api.counters).toMatchObject({ requests: 0, byStatus: {}, byRoute: {}, ordersCreated: 0, refreshes: 0 });
    expect(api.log).toEqual([]);
    expect(await statusesOf(customers, failing)).toEqual([200, 503]);
    const order = await fetch(`${api.url}${ORDERS}/o1`, bearer(access_token));
    expect(order.status).toBe(404);
  });
});

describe('bad clients', () => {
  it.each(['', '{', '[]', 'null', '"text"'])('get 400 for the order %j', async (body) => {
    const api = await start();
    const response = await write(api.url + ORDERS, 'POST', body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'badRequest', source: 'PartnerAPI' });
  });

  it('get 400 for a body over the bound, read to its end', async () => {
    const api = await start({ maxBodyBytes: 1_000 });
    const body = JSON.stringify({ padding: 'x'.repeat(1_000_000) });
    const response = await write(api.url + ORDERS, 'POST', body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ description: 'The body is longer than 1000 bytes.' });
    expect(api.log[0]?.bodyLength).toBe(body.length);
    expect(api.counters.ordersCreated).toBe(0);
  });

  it.each(['GET // HTTP/1.1', 'GET /v1/customers/%E0%A4%A HTTP/1.1', 'OPTIONS * HTTP/1.1', 'nonsense'])(
    'who send %j get an error and do no harm to others',
    async (line) => {
      const api = await start();
      const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
      socket.end(`${line}\r\nHost: x\r\nConnection: close\r\n\r\n`);
      const [answer] = await once(socket, 'data');
      expect(`${answer}`).toMatch(/^HTTP\/1.1 40\d /);
      socket.destroy();
      expect((await fetch(`${api.url}/v1/customers`)).status).toBe(200);
    },
  );

  it('who leave in the middle of a body do no harm to others', async () => {
    const api = await start();
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
    socket.write(`POST ${ORDERS} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"sku"`);
    await once(socket, 'connect');
    socket.resetAndDestroy();
    await once(socket, 'close');
    expect((await fetch(`${api.url}/v1/customers`)).status).toBe(200);
    expect(api.counters.ordersCreated).toBe(0);
  });

  it('do not bring the server down by a scripted answer that HTTP cannot carry', async () => {
    const api = await start();
    api.script({ kind: 'answer', status: 99 });
    await expect(fetch(`${api.url}/v1/customers`)).rejects.toThrow(TypeError);
    expect((await fetch(`${api.url}/v1/customers`)).status).toBe(200);
  });
});

describe('close', () => {
  it('ends idle connections and held answers, and frees the port', async () => {
    const api = await start();
    const idle = connect(Number(new URL(api.url).port), '127.0.0.1');
    await once(idle, 'connect');
    const idleEnded = once(idle, 'close');
    api.script({ kind: 'pass', delayMs: 60_000 });
    const held = fetch(`${api.url}/v1/customers`);
    const heldEnded = expect(held).rejects.toThrow(TypeError);
    await expect.poll(() => api.counters.requests, { interval: 1 }).toBe(1);

    await api.close();
    await Promise.all([heldEnded, idleEnded]);
    await expect(fetch(api.url)).rejects.toThrow(TypeError);
  });

  it('leaves no timer behind', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const api = await start();
    api.script({ kind: 'pass', delayMs: 60_000 });
    const before = timers();
    const heldEnded = expect(fetch(`${api.url}/v1/customers`)).rejects.toThrow(TypeError);
    await expect.poll(() => api.counters.requests, { interval: 1 }).toBe(1);

    await api.close();
    await heldEnded;
    // A held answer's timer goes with its connection, within the turns in which Node reports that as closed.
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    expect(timers()).toBeLessThanOrEqual(before);
  });

  it('may be called twice', async () => {
    const api = await start();
    await Promise.all([api.close(), api.close()]);
    await api.close();
  });
});
