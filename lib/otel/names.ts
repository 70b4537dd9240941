/** Of the semantic conventions, all of them stable. Written out, so that nobody loads that package for eight strings. */
export const CONVENTIONS = {
  errorType: 'error.type',
  method: 'http.request.method',
  methodOriginal: 'http.request.method_original',
  resendCount: 'http.request.resend_count',
  status: 'http.response.status_code',
  address: 'server.address',
  port: 'server.port',
  url: 'url.full',
} as const;

/** What stands for a method or an error that the conventions do not know by a name. */
export const OTHER = '_OTHER';

/** The methods that they know. */
export const METHODS: ReadonlySet<string> = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'TRACE',
]);
