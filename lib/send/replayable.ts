/**
 * Whether a body can be read again, so that a second send carries the same bytes.
 *
 * No: streams of Node and of the web, iterators, async iterables, and the `form-data` package. Once read, nothing is left of them, axios
 * would send an empty body, and the server might answer 200. Yes: strings, buffers, typed arrays, Blobs, URLSearchParams, native FormData
 * and plain objects.
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
