/** What a refusal looks like on the wire: the shapes of error body that the documents show. */

/** `flat`: the older routes. `nested`: the newer ones. `legacy`: before both. `gateway`: the proxy in front of them all. */
export type ErrorShape = 'flat' | 'nested' | 'legacy' | 'gateway';

export interface RefusalDetails {
  /** The code in the body; the status' own name when absent. */
  code?: string;
  description?: string;
  /** Overrides the shape that the route and the request ask for. */
  shape?: ErrorShape;
  /** Seconds, or an HTTP-date. */
  retryAfter?: number | string;
  headers?: Record<string, string | string[]>;
}

/** Thrown by a handler, written by the server. */
export class Refusal extends Error {
  readonly status: number;
  readonly details: RefusalDetails;

  constructor(status: number, details: RefusalDetails = {}) {
    super(details.description ?? describe(status, details.code));
    this.status = status;
    this.details = details;
  }
}

export function errorBody(shape: ErrorShape, { status, message, details }: Refusal): object {
  const code = details.code ?? nameOf(status);
  switch (shape) {
    case 'flat':
      return { code, description: message, data: [], source: SOURCE };
    case 'nested':
      return { error: nestedError(status, message, details.code) };
    case 'legacy':
      return {
        code,
        description: message,
        data: { status: String(status) },
        Source: SOURCE,
        other_errors: [{ error_code: code, message, parameters: {} }],
      };
    case 'gateway':
      return { statusCode: status, message: gatewayMessage(status, message, details.retryAfter) };
  }
}

export function isErrorShape(value: unknown): value is ErrorShape {
  return value === 'flat' || value === 'nested' || value === 'legacy' || value === 'gateway';
}

const SOURCE = 'PartnerAPI';

const STATUSES: Record<number, readonly [name: string, description: string]> = {
  400: ['badRequest', 'The request is not well formed.'],
  401: ['unAuthorized', 'Caller is not authorized to access the resource.'],
  403: ['forbidden', 'The operation is not allowed for this caller.'],
  404: ['notFound', 'The resource was not found.'],
  405: ['methodNotAllowed', 'The method is not allowed on this resource.'],
  406: ['notAcceptable', 'The requested representation is not available.'],
  409: ['conflict', 'The request conflicts with the state of the resource.'],
  410: ['gone', 'The resource is no longer available.'],
  412: ['preconditionFailed', 'The precondition does not hold.'],
  429: ['tooManyRequests', 'Rate limit is exceeded.'],
  500: ['internalServerError', 'The service failed to handle the request.'],
  501: ['notImplemented', 'The operation is not implemented.'],
  502: ['badGateway', 'The gateway received an invalid response.'],
  503: ['serviceUnavailable', 'The service is unavailable.'],
  504: ['gatewayTimeout', 'The gateway received no response in time.'],
};

const CODES: Record<string, string> = {
  '2055': 'The ETag is no longer valid.',
  '800001': 'The partner token is missing.',
  '800003': 'The service failed. Try again later.',
  '800036': 'The precondition does not hold.',
  '800060': 'The order is already in progress.',
  '800064': 'The resource is being processed by another request.',
  '800082': 'The subscription is not ready. Try again later.',
  '900104': 'The resource is being processed by another request.',
  '900135': 'The service failed. Try again later.',
  '900192': 'The service failed. Try again later.',
  '900278': 'The operation is pending. Try again after 24 hours.',
  '900308': 'The caller lacks the privileges for this operation.',
  '900309': 'Conditional access denies this operation.',
  '900329': 'This kind of token is not supported for this operation.',
  '900421': 'Multi-factor authentication is required.',
};

function nameOf(status: number): string {
  return STATUSES[status]?.[0] ?? `status${status}`;
}

function describe(status: number, code: string | undefined): string {
  return (code && CODES[code]) || STATUSES[status]?.[1] || `The request ended with status ${status}.`;
}

/** The outer error names the status; the most detailed code is the innermost one. */
function nestedError(status: number, message: string, code: string | undefined): object {
  const inner = code && { innerError: { code, message } };
  return { code: nameOf(status), message, target: 'partner', ...inner };
}

function gatewayMessage(status: number, message: string, retryAfter: number | string | undefined): string {
  const wait = status === 429 && /^\d+$/.test(`${retryAfter}`);
  return wait ? `Rate limit is exceeded. Try again in ${retryAfter} seconds.` : message;
}
