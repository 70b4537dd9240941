import { describe, expect, it } from 'vitest';
import { isTunnelAnswer, isUnapplied } from '../../lib/failure/unapplied.ts';

const at = (code: string, syscall?: string, message = code) => ({ code, syscall, message });

describe(isUnapplied.name, () => {
  it.each(['connect', 'getaddrinfo', 'socket', 'bind', 'queryA', 'queryAaaa'])(
    'holds for what fails at %s',
    (syscall) => {
      expect(isUnapplied(at('ETIMEDOUT', syscall))).toBe(true);
      expect(isUnapplied({ cause: at('ETIMEDOUT', syscall) })).toBe(true);
    },
  );

  it.each(['read', 'write', 'shutdown', 'open', 'query'])('does not hold for what fails at %s', (syscall) => {
    expect(isUnapplied(at('EHOSTUNREACH', syscall))).toBe(false);
  });

  it('holds where every address failed to connect, not where one did not', () => {
    const errors = [at('ETIMEDOUT', 'connect'), at('ECONNREFUSED', 'connect')];
    expect(isUnapplied({ code: 'ETIMEDOUT', cause: { code: 'ETIMEDOUT', errors } })).toBe(true);
    expect(isUnapplied({ code: 'ETIMEDOUT', errors: [...errors, at('ECONNRESET', 'read')] })).toBe(false);
    expect(isUnapplied({ code: 'ETIMEDOUT', errors: [] })).toBe(false);
    expect(isUnapplied({ code: 'ETIMEDOUT', errors: [undefined] })).toBe(false);
  });

  it.each([
    'Client network socket disconnected before secure TLS connection was established',
    'The pending stream has been canceled (caused by: Client network socket disconnected before secure TLS connection was established)',
    'Proxy response (502) !== 200 when HTTP Tunneling',
  ])('goes by words where there is nothing else: %s', (message) => {
    expect(isUnapplied({ code: 'ERR_NETWORK', cause: { message } })).toBe(true);
  });

  it.each([
    ['no socket was ever given', { socket: null }, true],
    ['the handshake was not done', { socket: { secureConnecting: true } }, true],
    ['it was', { socket: { secureConnecting: false } }, false],
    ['what was written still waits', { socket: { _pendingData: 'POST /' } }, true],
    ['it has left', { socket: { _pendingData: null } }, false],
    ['nothing is known of the socket, as of a mock', { socket: {} }, false],
    ['nothing is known of the request', {}, false],
    ['the request has an undefined socket', { socket: undefined }, false],
    ['HTTP/2 refused the stream', { rstCode: 7, pending: false }, true],
    ['HTTP/2 gave it no number', { rstCode: 2, pending: true }, true],
    ['HTTP/2 cancelled it', { rstCode: 8, pending: false }, false],
  ])('where %s: by the request', (_what, request, expected) => {
    expect(isUnapplied({ code: 'ECONNRESET', request })).toBe(expected);
    expect(isUnapplied({ code: 'ECONNRESET', request: { _currentRequest: request } })).toBe(expected);
  });

  it('takes a GOAWAY with an error for one that may have been applied, whatever its code', () => {
    expect(isUnapplied({ code: 'ERR_HTTP2_SESSION_ERROR', request: { rstCode: 7, pending: false } })).toBe(false);
  });

  it.each([undefined, null, 'ECONNREFUSED', 7, {}, { request: null }, { request: 'x' }, new Error('x')])(
    'does not hold for %j',
    (thrown) => expect(isUnapplied(thrown)).toBe(false),
  );
});

describe(isTunnelAnswer.name, () => {
  const proxied = { protocol: 'https:', socket: { bytesWritten: 0 } };

  it('holds for an answer to an https request that came on a socket without TLS, to which nothing was written', () => {
    expect(isTunnelAnswer({ request: proxied })).toBe(true);
  });

  it.each([
    { ...proxied, protocol: 'http:' },
    { ...proxied, socket: { bytesWritten: 0, encrypted: true } },
    { ...proxied, socket: { bytesWritten: 200 } },
    { ...proxied, socket: {} },
    { ...proxied, socket: null },
    {},
    undefined,
  ])('does not hold for any other: %j', (request) => {
    expect(isTunnelAnswer({ request })).toBe(false);
  });
});
