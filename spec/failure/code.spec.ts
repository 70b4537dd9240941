import { describe, expect, it } from 'vitest';
import { chainOf, codeOf, failedToConnect, fieldsOf, isTimeout, isTlsCode } from '../../lib/failure/code.ts';

const nested = (depth: number, code: string): object => (depth === 0 ? { code } : { cause: nested(depth - 1, code) });

describe(codeOf.name, () => {
  it('is the error’s own, unless axios hides the network’s behind ERR_NETWORK', () => {
    expect(codeOf({ code: 'ECONNRESET', cause: { code: 'EPIPE' } })).toBe('ECONNRESET');
    expect(codeOf({ code: 'ERR_NETWORK', cause: { code: 'EPIPE' } })).toBe('EPIPE');
    expect(codeOf({ code: 'ERR_NETWORK', cause: {} })).toBe('ERR_NETWORK');
    expect(codeOf({ code: 'ERR_NETWORK' })).toBe('ERR_NETWORK');
    expect(codeOf({ cause: { code: 'ERR_NETWORK' } })).toBe('ERR_NETWORK');
  });

  it.each([1, 2, 3])('is looked for %i causes deep', (depth) => {
    expect(codeOf(nested(depth, 'EPIPE'))).toBe('EPIPE');
  });

  it('is not looked for deeper, nor for ever', () => {
    expect(codeOf(nested(4, 'EPIPE'))).toBeUndefined();
    const ring: { cause?: unknown } = {};
    ring.cause = ring;
    expect(codeOf(ring)).toBeUndefined();
  });

  it.each([undefined, null, 'EPIPE', 7, {}, { code: 7 }, { cause: null }, { cause: 'EPIPE' }])(
    'is none in %j',
    (error) => {
      expect(codeOf(error)).toBeUndefined();
    },
  );
});

describe(isTimeout.name, () => {
  it('holds for what ran out of time, under whatever adapter', () => {
    expect(isTimeout({ code: 'ETIMEDOUT' })).toBe(true);
    expect(isTimeout({ code: 'ECONNABORTED', message: 'timeout of 30ms exceeded' })).toBe(true);
    expect(isTimeout({ code: 'ERR_NETWORK', cause: { code: 'ETIMEDOUT' } })).toBe(true);
  });

  it('holds for the agents’ and undici’s own', () => {
    for (const code of ['ERR_SOCKET_TIMEOUT', 'ESOCKETTIMEDOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']) {
      expect(isTimeout({ code })).toBe(true);
    }
  });

  it('holds while reading, not while connecting: then nobody was there', () => {
    expect(isTimeout({ code: 'ETIMEDOUT', syscall: 'read' })).toBe(true);
    expect(isTimeout({ code: 'ETIMEDOUT', syscall: 'connect' })).toBe(false);
    expect(isTimeout({ code: 'ETIMEDOUT', cause: { errors: [{ syscall: 'connect' }] } })).toBe(false);
    expect(isTimeout({ code: 'UND_ERR_CONNECT_TIMEOUT' })).toBe(false);
  });

  it('does not hold for a request that the browser broke off, nor for anything else', () => {
    expect(isTimeout({ code: 'ECONNABORTED', message: 'Request aborted' })).toBe(false);
    for (const error of [{ code: 'ECONNRESET' }, {}, null, undefined]) expect(isTimeout(error)).toBe(false);
  });
});

describe(fieldsOf.name, () => {
  it('gives an object as it is, and nothing of what is none', () => {
    const error = new Error('x');
    expect(fieldsOf(error)).toBe(error);
    for (const thrown of [undefined, null, 'x', 7, () => {}]) expect(fieldsOf(thrown)).toEqual({});
  });
});

describe(failedToConnect.name, () => {
  it('goes by the system call, and by the code only without one', () => {
    expect(failedToConnect({ code: 'EHOSTUNREACH', syscall: 'read' })).toBe(false);
    expect(failedToConnect({ code: 'EHOSTUNREACH', syscall: 'connect' })).toBe(true);
    expect(failedToConnect({ code: 'EHOSTUNREACH' })).toBe(true);
    expect(failedToConnect({ code: 'ECONNRESET' })).toBe(false);
    expect(failedToConnect(undefined)).toBe(false);
  });
});

describe(chainOf.name, () => {
  it('has an error and at most three causes', () => {
    expect(chainOf(nested(5, 'x'))).toHaveLength(4);
    expect(chainOf({ cause: 'x' })).toEqual([{ cause: 'x' }, {}]);
    expect(chainOf(undefined)).toEqual([{}]);
  });
});

describe(isTlsCode.name, () => {
  it.each([
    'EPROTO',
    'ERR_SSL_NO_SHARED_CIPHER',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_GET_CRL',
    'INVALID_CA',
    'HOSTNAME_MISMATCH',
  ])('holds for %s', (code) => expect(isTlsCode(code)).toBe(true));

  it.each(['EPROTOTYPE', 'ECONNRESET', 'ERR_TLS_INVALID_PROTOCOL_VERSION', ''])('does not hold for %s', (code) => {
    expect(isTlsCode(code)).toBe(false);
  });
});
