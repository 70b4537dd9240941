/** The API behind the wire: what each request is answered, without sockets, faults or counting. */

import { type ErrorShape, errorBody, isErrorShape, Refusal } from './bodies.ts';
import type { Answer, ApiRequest } from './request.ts';
import { createRouter, type Found, type Route } from './router.ts';
import { createShop, type Shop } from './shop.ts';
import { createStatuses } from './statuses.ts';
import { createThrottle, type Quota } from './throttle.ts';
import { createTokens, type Tokens, unauthorized } from './tokens.ts';

export interface ApiOptions {
  /** The ids of the customers there are. Default c1, c2, c3. */
  customers?: readonly string[];
  /** The shape of every error body, unless the request names one. Default: `nested` under /rest, else `flat`. */
  shape?: ErrorShape;
  /** Default false: no token is needed, though one that comes still names the partner tenant. */
  requireAuth?: boolean;
  /** Default an hour. */
  tokenTtlMs?: number;
  /** A refresh token is good for one refresh and replaced by another. Default false. */
  rotateRefreshTokens?: boolean;
  /** Per API (/v1, /rest), partner tenant and, from /customers/{customer} on, customer tenant. Default none. */
  quota?: Quota;
  /** Writes are throttled sooner: they have to fit both quotas. Default none. */
  writeQuota?: Quota;
  /** False leaves the header out, so that the gateway's sentence is the only hint. Default true. */
  retryAfterHeader?: boolean;
  /** How a stale `If-Match` is refused: 412, or the 400 with code 2055 that means the same. Default 412. */
  staleEtag?: 412 | 400;
  /** A longer body is refused with 400. Default 1 MiB. */
  maxBodyBytes?: number;
  /** The clock of quotas, tokens and the log, in ms. Default `Date.now`. */
  now?: () => number;
}

export interface Api {
  readonly shop: Shop;
  readonly tokens: Tokens;
  find(request: ApiRequest): Found;
  /** Carries the request out. Never throws. */
  answer(request: ApiRequest, found: Found): Answer;
  refuse(request: ApiRequest, refusal: Refusal): Answer;
  reset(): void;
}

export function createApi(options: Required<Pick<ApiOptions, 'maxBodyBytes' | 'now'>> & ApiOptions): Api {
  const { now, maxBodyBytes, requireAuth = false, retryAfterHeader = true } = options;
  const shop = createShop({ customers: options.customers ?? ['c1', 'c2', 'c3'], staleEtag: options.staleEtag ?? 412 });
  const tokens = createTokens({
    ttlMs: options.tokenTtlMs ?? 3_600_000,
    rotate: options.rotateRefreshTokens ?? false,
    now,
  });
  const throttle = createThrottle(options);
  const statuses = createStatuses();

  const admit = (request: ApiRequest, customer = '') => {
    const authorization = request.header('Authorization');
    const tenant = tokens.tenantOf(authorization);
    if (requireAuth && !tenant) throw unauthorized(authorization);
    const waitMs = throttle.charge(`${request.family} ${tenant ?? 'anonymous'} ${customer}`, request.method);
    if (waitMs > 0) throw new Refusal(429, { shape: 'gateway', retryAfter: Math.ceil(waitMs / 1000) });
  };

  const resource = (method: string, path: string, handle: Route['handle']): Route[] =>
    ['/v1', '/rest'].map((family) => ({
      method,
      path: `${family}/customers${path}`,
      handle(request, ...ids) {
        admit(request, ids[0]);
        return handle(request, ...ids);
      },
    }));

  const find = createRouter([
    ...resource('GET', '', () => shop.customers()),
    ...resource('GET', '/{customer}', (_, customer: string) => shop.customer(customer)),
    ...resource('POST', '/{customer}/orders', (request, customer: string) => shop.placeOrder(customer, request)),
    ...resource('GET', '/{customer}/orders/{order}', (_, customer: string, id: string) => shop.order(customer, id)),
    ...['PATCH', 'PUT'].flatMap((method) =>
      resource(method, '/{customer}/orders/{order}', (request, customer: string, id: string) =>
        shop.changeOrder(customer, id, request),
      ),
    ),
    ...resource('POST', '/{customer}/orders/{order}/quantity', (request, customer: string, id: string) =>
      shop.changeQuantity(customer, id, request),
    ),
    ...resource('GET', '/{customer}/operations/{operation}', (_, customer: string, id: string) =>
      shop.operation(customer, id),
    ),
    ...resource('GET', '/{customer}/utilization', (_, customer: string) => shop.utilization(customer)),
    { method: 'POST', path: '/oauth/token', handle: tokens.exchange },
    ...['', '/v1', '/rest'].map((family) => ({
      method: '*',
      path: `${family}/status/{code}`,
      handle: (request: ApiRequest, status: string) => statuses.answer(status, request),
    })),
  ]);

  const refuse = (request: ApiRequest, refusal: Refusal): Answer => {
    const { shape, retryAfter, headers } = refusal.details;
    const asked = request.query.get('shape') ?? request.header('X-Error-Shape');
    const otherwise = options.shape ?? (request.family === 'rest' ? 'nested' : 'flat');
    const hint = retryAfterHeader && retryAfter !== undefined && { 'Retry-After': retryAfter };
    return {
      status: refusal.status,
      headers: { ...hint, ...headers },
      body: errorBody(shape ?? (isErrorShape(asked) ? asked : otherwise), refusal),
    };
  };

  return {
    shop,
    tokens,
    find,
    refuse,
    answer(request, found) {
      try {
        if (request.body === undefined) {
          throw new Refusal(400, { description: `The body is longer than ${maxBodyBytes} bytes.` });
        }
        return found.answer();
      } catch (error) {
        return refuse(request, error instanceof Refusal ? error : new Refusal(500, { description: `${error}` }));
      }
    },
    reset() {
      shop.reset();
      tokens.reset();
      throttle.reset();
      statuses.reset();
    },
  };
}
