import { AxiosError } from 'axios';
import { describe, expect, it } from 'vitest';
import { faultOf, isOutOfFiles } from '../../lib/failure/fault.ts';

const coded = (code: string, syscall?: string) => Object.assign(new Error(code), { code, syscall });
/** As axios' http adapter wraps it, once there is a request. */
const made = (cause: Error) => Object.assign(AxiosError.from(cause), { request: {} });
/** As its fetch adapter does. */
const fetched = (cause: unknown) =>
  Object.assign(new AxiosError('Network Error', 'ERR_NETWORK', undefined, {}), { cause });

describe(faultOf.name, () => {
  describe.each([
    ['as it is', (error: Error) => error],
    ['wrapped by the http adapter', made],
    ['wrapped by the fetch adapter', fetched],
  ])('of a code, %s', (_way, wrap) => {
    it.each([
      'ECONNRESET',
      'EPIPE',
      'ENETUNREACH',
      'EAI_NODATA',
      'ESERVFAIL',
      'HPE_INVALID_CONSTANT',
      'UND_ERR_SOCKET',
      'Z_BUF_ERROR',
    ])('finds %s the network’s', (code) => expect(faultOf(wrap(coded(code, 'read')))).toBe('network'));

    it.each(['EPROTO', 'CERT_HAS_EXPIRED', 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR', 'ERR_TLS_CERT_ALTNAME_INVALID'])(
      'finds %s the network’s: nobody is trusted',
      (code) => expect(faultOf(wrap(coded(code)))).toBe('network'),
    );

    it.each([
      'ENOENT',
      'EISDIR',
      'EACCES',
      'ENOSPC',
      'E2BIG',
      'ERR_INVALID_CHAR',
      'ERR_HTTP_INVALID_HEADER_VALUE',
      'ERR_SOCKET_BAD_PORT',
    ])('finds %s ours', (code) => expect(faultOf(wrap(coded(code)))).toBe('local'));

    it.each([
      'ERR_STREAM_WRITE_AFTER_END',
      'ERR_HTTP2_INVALID_HEADER_VALUE',
      'ERR_ASSERTION',
      'UND_ERR_INVALID_ARG',
      'UND_ERR_CLOSED',
    ])('finds %s ours: a bug', (code) => expect(faultOf(wrap(coded(code)))).toBe('local'));

    it.each(['EACCES', 'EPERM', 'ENOENT'])('finds %s of a connection the network’s', (code) => {
      expect(faultOf(wrap(coded(code, 'connect')))).toBe('network');
    });

    it.each(['ERR_FR_TOO_MANY_REDIRECTS', 'ERR_BAD_RESPONSE'])('finds %s neither’s', (code) => {
      expect(faultOf(wrap(coded(code)))).toBeUndefined();
    });
  });

  it('finds a code that it does not know the network’s only where a request was made', () => {
    expect(faultOf(coded('PROXY_DOWN'))).toBeUndefined();
    expect(faultOf(made(coded('PROXY_DOWN')))).toBe('network');
  });

  it('finds an answer that broke off the network’s, also where axios gives it the code of a bad one', () => {
    expect(faultOf(new AxiosError('stream has been aborted', 'ERR_BAD_RESPONSE'))).toBe('network');
  });

  it('finds a Blob whose file is gone ours', () => {
    expect(faultOf(fetched(new DOMException('gone', 'NotReadableError')))).toBe('local');
  });

  it('finds an error without a code the network’s where a request was made, whatever it is', () => {
    for (const cause of [new Error('socket hang up'), new TypeError('Network error')])
      expect(faultOf(made(cause))).toBe('network');
  });

  it('takes nothing but what fetch says for the network’s under fetch: a callback of the caller’s may have thrown', () => {
    const request = new Request('http://127.0.0.1/');
    const under = (cause: Error) => Object.assign(AxiosError.from(cause), { request });
    expect(faultOf(under(new Error('from validateStatus')))).toBeUndefined();
    expect(faultOf(under(new TypeError('x is undefined')))).toBe('local');
    expect(faultOf(under(new TypeError('terminated')))).toBe('network');
    expect(faultOf(Object.assign(fetched(coded('PROXY_DOWN')), { request }))).toBe('network');
  });

  it('finds a bug ours, also where axios wraps it before there is a request', () => {
    expect(faultOf(new TypeError('x is not a function'))).toBe('local');
    expect(faultOf(AxiosError.from(new TypeError('Headers.append: "x y" is an invalid header name.')))).toBe('local');
  });

  it('cannot tell of any other error without a code', () => {
    for (const thrown of [new Error('no'), undefined, null, 'ECONNRESET', 7, {}])
      expect(faultOf(thrown)).toBeUndefined();
  });

  it.each([
    ['bad port', 'local'],
    ['unknown scheme', 'local'],
    ['redirect count exceeded', undefined],
    ['anything else', 'network'],
  ])('goes by the words of fetch where it gives no code: %s', (words, fault) => {
    expect(faultOf(fetched(new Error(words)))).toBe(fault);
  });
});

describe(isOutOfFiles.name, () => {
  it('holds while connecting, not for a file', () => {
    for (const code of ['EMFILE', 'ENFILE']) {
      expect(isOutOfFiles(coded(code, 'connect'))).toBe(true);
      expect(isOutOfFiles(coded(code))).toBe(true);
      expect(isOutOfFiles(coded(code, 'open'))).toBe(false);
    }
    expect(isOutOfFiles(coded('ECONNREFUSED', 'connect'))).toBe(false);
  });
});
