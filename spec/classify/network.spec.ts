import { AxiosError, CanceledError } from 'axios';
import { describe, expect, it } from 'vitest';
import { verdictOfError } from '../../lib/classify/network.ts';

/** An error of the system. */
const systemError = (code: string, syscall?: string) => Object.assign(new Error(code), { code, syscall });
/** As the http adapter wraps it. */
const viaHttp = (cause: Error) => AxiosError.from(cause, undefined);
/** As the fetch adapter wraps it. */
const viaFetch = (cause: unknown) => Object.assign(new AxiosError('Network Error', 'ERR_NETWORK'), { cause });

const NEVER_CONNECTED = [
  ['ECONNREFUSED', 'connect'],
  ['ENOTFOUND', 'getaddrinfo'],
  ['EAI_AGAIN', 'getaddrinfo'],
  ['EAI_FAIL', 'getaddrinfo'],
  ['ENETUNREACH', 'connect'],
  ['ENETDOWN', 'connect'],
  ['EHOSTUNREACH', 'connect'],
  ['EHOSTDOWN', 'connect'],
  ['EADDRNOTAVAIL', 'connect'],
  ['EMFILE', 'connect'],
  ['ENFILE', 'socket'],
  ['ETIMEDOUT', 'connect'],
  ['ECONNRESET', 'connect'],
  ['UND_ERR_CONNECT_TIMEOUT', undefined],
] as const;

const AMBIGUOUS = [
  'ECONNRESET',
  'EPIPE',
  'EPROTOTYPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_HTTP2_STREAM_ERROR',
  'ERR_SOCKET_CLOSED',
  'HPE_INVALID_CONSTANT',
  'UND_ERR_SOCKET',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'Z_DATA_ERROR',
  'ERR__ERROR_FORMAT_PADDING_1',
];

const HOPELESS = [
  'EPROTO',
  'HPE_HEADER_OVERFLOW',
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_HAS_EXPIRED',
  'ERR_INVALID_URL',
  'ERR_INVALID_CHAR',
];

describe(verdictOfError.name, () => {
  describe.each([
    ['as it is', (error: Error) => error],
    ['wrapped by the http adapter', viaHttp],
    ['wrapped by the fetch adapter', viaFetch],
  ])('of an error of the network, %s', (_way, wrap) => {
    it.each(NEVER_CONNECTED)('calls %s at %s transient and not applied: no connection was made', (code, syscall) => {
      const verdict = verdictOfError(wrap(systemError(code, syscall)));
      expect(verdict).toEqual({ kind: 'transient', unapplied: true, reason: code });
    });

    it.each(NEVER_CONNECTED)('goes by %s alone where no system call is named, as under undici', (code) => {
      const unapplied = code !== 'ETIMEDOUT' && code !== 'ECONNRESET';
      const verdict = verdictOfError(wrap(systemError(code)));
      expect(verdict).toEqual({ kind: 'transient', ...(unapplied && { unapplied }), reason: code });
    });

    it.each(AMBIGUOUS)('calls %s transient, but does not claim that nothing was applied', (code) => {
      expect(verdictOfError(wrap(systemError(code, 'read')))).toEqual({ kind: 'transient', reason: code });
    });

    it.each(HOPELESS)('calls %s permanent: a repeat would end the same way', (code) => {
      expect(verdictOfError(wrap(systemError(code)))).toEqual({ kind: 'permanent', reason: code });
    });
  });

  it.each(['ECONNABORTED', 'ETIMEDOUT'])('calls the timeout %s transient, maybe applied', (code) => {
    const timeout = new AxiosError('timeout of 30ms exceeded', code);
    expect(verdictOfError(timeout)).toEqual({ kind: 'transient', reason: code });
  });

  it.each([
    AxiosError.ERR_BAD_RESPONSE,
    AxiosError.ERR_BAD_REQUEST,
    AxiosError.ERR_BAD_OPTION,
    AxiosError.ERR_BAD_OPTION_VALUE,
    AxiosError.ERR_DEPRECATED,
    AxiosError.ERR_INVALID_URL,
    AxiosError.ERR_NOT_SUPPORT,
    'ERR_FORM_DATA_DEPTH_EXCEEDED',
    'ERR_FR_TOO_MANY_REDIRECTS',
    'ERR_FR_MAX_BODY_LENGTH_EXCEEDED',
    'ERR_HTTP_HEADERS_SENT',
    'ERR_UNESCAPED_CHARACTERS',
  ])("calls axios' own %s permanent", (code) => {
    expect(verdictOfError(new AxiosError('no', code))).toEqual({ kind: 'permanent', reason: code });
  });

  it.each(['bad port', 'unknown scheme', 'redirect count exceeded', 'Invalid URL: /x', 'Failed to parse URL from x'])(
    'calls what fetch gives no code for permanent, by its words: %s',
    (words) => {
      expect(verdictOfError(viaFetch(new Error(words)))).toEqual({ kind: 'permanent', reason: 'ERR_NETWORK' });
    },
  );

  it('goes only by words that fetch begins with, and only where it gave no code', () => {
    expect(verdictOfError(viaFetch(new Error('proxy: bad port'))).kind).toBe('transient');
    const coded = Object.assign(new Error('bad port'), { code: 'ECONNRESET' });
    expect(verdictOfError(viaFetch(coded)).kind).toBe('transient');
  });

  it('calls a network error without a code transient by the words of axios, as of axios-mock-adapter', () => {
    expect(verdictOfError(new Error('Network Error'))).toEqual({ kind: 'transient' });
    expect(verdictOfError(new Error('network error'))).toEqual({ kind: 'permanent' });
  });

  it('shares one frozen verdict among the cancelled', () => {
    expect(Object.isFrozen(verdictOfError(new CanceledError('enough')))).toBe(true);
  });

  it('calls a network error without any detail transient, as browsers give none', () => {
    expect(verdictOfError(new AxiosError('Network Error', 'ERR_NETWORK'))).toEqual({
      kind: 'transient',
      reason: 'ERR_NETWORK',
    });
  });

  it('finds the code of a body that broke off under fetch, which has none of its own', () => {
    const terminated = new TypeError('terminated', { cause: systemError('UND_ERR_SOCKET') });
    const error = AxiosError.from(terminated, undefined);
    expect(verdictOfError(error)).toEqual({ kind: 'transient', reason: 'UND_ERR_SOCKET' });
  });

  it("calls axios' cancellation cancelled", () => {
    expect(verdictOfError(new CanceledError('enough'))).toEqual({ kind: 'cancelled' });
  });

  it('calls a cancellation cancelled whatever caused it', () => {
    const error = Object.assign(new CanceledError('enough'), { cause: systemError('ECONNREFUSED', 'connect') });
    expect(verdictOfError(error)).toEqual({ kind: 'cancelled' });
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['a string', 'ECONNRESET'],
    ['a number', 503],
    ['an empty object', {}],
    ['an error without a code', new TypeError('x is not a function')],
    ['a code that is no string', { code: 104 }],
  ])('calls %s permanent: not every throw is about the network', (_what, thrown) => {
    expect(verdictOfError(thrown)).toEqual({ kind: 'permanent' });
  });

  it('does not follow causes round in a circle', () => {
    const error = new AxiosError('Network Error', 'ERR_NETWORK');
    Object.assign(error, { cause: error });
    expect(verdictOfError(error).kind).toBe('transient');
  });
});
