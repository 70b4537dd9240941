/**
 * The code that says what happened. Adapters differ: under fetch, axios says `ERR_NETWORK`, or nothing at all for a body that
 * broke off, and the network's own code stands on a cause.
 */
export function codeOf(error: unknown): string | undefined {
  const { code, cause } = fieldsOf(error);
  if (typeof code === 'string' && code !== 'ERR_NETWORK') return code;
  for (let at = cause, depth = 0; at !== undefined && depth < 3; depth++) {
    const inner = fieldsOf(at);
    if (typeof inner.code === 'string') return inner.code;
    at = inner.cause;
  }
  return typeof code === 'string' ? code : undefined;
}

/** Whether a send ended by running out of time. */
export function isTimeout(error: unknown): boolean {
  const code = codeOf(error);
  // axios also uses ECONNABORTED for a request that the browser broke off.
  return code === 'ETIMEDOUT' || (code === 'ECONNABORTED' && fieldsOf(error).message !== 'Request aborted');
}

export interface Fields {
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly syscall?: unknown;
  readonly message?: unknown;
}

/** An adapter may reject with anything. */
export function fieldsOf(thrown: unknown): Fields {
  return typeof thrown === 'object' && thrown !== null ? thrown : {};
}
