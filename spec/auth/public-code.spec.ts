import { describe, expect, it } from 'vitest';
import { publicCodeOf } from '../../lib/auth/public-code.ts';

describe(publicCodeOf.name, () => {
  it.each([
    ...['EPIPE', 'ECONNRESET', 'EHOSTUNREACH'],
    ...['ERR_BAD_REQUEST', 'ERR_NETWORK', 'UND_ERR_SOCKET', 'UND_ERR_CONNECT_TIMEOUT', 'HPE_INVALID_CONSTANT'],
    ...['invalid_grant', 'invalid_client', 'unauthorized_client', 'unsupported_grant_type', 'access_denied'],
    ...['insufficient_scope', 'temporarily_unavailable', 'server_error'],
  ])('shows %s, as networks, clients and OAuth servers write their codes', (code) => {
    expect(publicCodeOf(Object.assign(new Error('no'), { code }))).toBe(code);
  });

  it('looks for it where the network left it', () => {
    expect(publicCodeOf(new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } }))).toBe('ECONNREFUSED');
  });

  it.each([
    ...['s3cret', 'SECRET', 'econnreset', '', 'E', 'ERR_', 'invalid_', 'INVALID_GRANT', 'Invalid_grant'],
    ...['my-ECONNRESET', 'ECONNRESET-a7', 'ECONNRESET ', 'access_7c9f0d1e', 'access-denied', 'ERR_BAD_REQUEST:Bearer'],
    ...['key_invalid_grant', 'ERR_bad', 'HPE_7', 'ECONNRESET\n', `E${'A'.repeat(16)}`, `invalid_${'a'.repeat(25)}`],
  ])('does not show %j, which may be anything', (code) => {
    expect(publicCodeOf({ code })).toBeUndefined();
  });

  it.each([undefined, null, 'ECONNRESET', 7, {}, { code: 400 }, new Error('ECONNRESET')])(
    'finds none on %o',
    (error) => {
      expect(publicCodeOf(error)).toBeUndefined();
    },
  );
});
