/** The OAuth token endpoint, and the tokens it handed out. */

import { Refusal } from './bodies.ts';
import type { Answer, ApiRequest } from './request.ts';

export interface Grant {
  token_type: 'Bearer';
  access_token: string;
  /** Whole seconds, rounded down. */
  expires_in: number;
  /** None comes with client credentials. */
  refresh_token?: string;
}

export interface TokenOptions {
  ttlMs: number;
  /** A refresh token is good for one refresh and replaced by another. */
  rotate: boolean;
  now: () => number;
}

export interface Tokens {
  /** Tokens granted by the endpoint, whatever the grant type. */
  readonly refreshes: number;
  /** What a person's consent would have handed out: the tokens that a client starts with. */
  consent(tenant: string): Required<Grant>;
  /** `POST /oauth/token` */
  exchange(request: ApiRequest): Answer;
  tenantOf(authorization: string | undefined): string | undefined;
  expire(): void;
  /** Tokens stay good, only the count starts anew. */
  reset(): void;
}

const NO_STORE = { 'Cache-Control': 'no-store' };

export function createTokens({ ttlMs, rotate, now }: TokenOptions): Tokens {
  const access = new Map<string, { tenant: string; expiresAt: number }>();
  const refresh = new Map<string, string>();
  let refreshes = 0;

  const grant = (tenant: string): Grant => {
    const token = `access-${crypto.randomUUID()}`;
    access.set(token, { tenant, expiresAt: now() + ttlMs });
    return { token_type: 'Bearer', access_token: token, expires_in: Math.floor(ttlMs / 1000) };
  };

  const consent = (tenant: string): Required<Grant> => {
    const token = `refresh-${crypto.randomUUID()}`;
    refresh.set(token, tenant);
    return { ...grant(tenant), refresh_token: token };
  };

  const issued = (body: Grant): Answer => {
    refreshes += 1;
    return { status: 200, headers: NO_STORE, body };
  };

  const renew = (token: string | null): Answer => {
    const tenant = token && refresh.get(token);
    if (!tenant) return oauthError('invalid_grant', 'The refresh token is missing, unknown or used up.');
    if (!rotate) return issued({ ...grant(tenant), refresh_token: token });
    refresh.delete(token);
    return issued(consent(tenant));
  };

  return {
    get refreshes() {
      return refreshes;
    },
    consent,
    exchange(request) {
      if (!request.header('content-type')?.startsWith('application/x-www-form-urlencoded')) {
        return oauthError('invalid_request', 'The body must be form-encoded.');
      }
      const form = new URLSearchParams(request.body);
      switch (form.get('grant_type')) {
        case 'refresh_token':
          return renew(form.get('refresh_token'));
        case 'client_credentials': {
          const tenant = form.get('client_id');
          if (!tenant || !form.get('client_secret')) return oauthError('invalid_client', 'Who is asking?', 401);
          return issued(grant(tenant));
        }
        default:
          return oauthError('unsupported_grant_type', 'Use refresh_token or client_credentials.');
      }
    },
    tenantOf(authorization) {
      const token = access.get(authorization?.replace(/^Bearer /i, '') ?? '');
      return token && token.expiresAt > now() ? token.tenant : undefined;
    },
    expire() {
      access.clear();
    },
    reset() {
      refreshes = 0;
    },
  };
}

/** The documented challenge: an unquoted realm with colons and braces. */
export function unauthorized(authorization: string | undefined): Refusal {
  const headers = { 'WWW-Authenticate': 'OAuth realm=urn:cpsvc:cpid:{3c1f8a52-6d0e-4b7c-9a44-0b5f2e7d9c11}' };
  return new Refusal(401, authorization ? { headers } : { headers, code: '800001' });
}

function oauthError(error: string, description: string, status = 400): Answer {
  return { status, headers: NO_STORE, body: { error, error_description: description } };
}
