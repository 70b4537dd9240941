/**
 * Whether a body can be read again, so that a second send would carry the same bytes.
 *
 * Streams of Node and of the web, async iterables and the `form-data` package are read once: axios would send what is left
 * of them, which is nothing, and the server might well answer 200. Strings, buffers, typed arrays, Blobs, URLSearchParams
 * and native FormData are read whole every time.
 */
export function isReplayable(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return true;
  const { pipe, getReader, next } = body as { pipe?: unknown; getReader?: unknown; next?: unknown };
  return (
    typeof pipe !== 'function' &&
    typeof getReader !== 'function' &&
    typeof next !== 'function' &&
    !(Symbol.asyncIterator in body)
  );
}
