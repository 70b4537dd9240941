/**
 * Which convention an error body follows.
 *
 * | shape     | body                                                                                         |
 * | --------- | -------------------------------------------------------------------------------------------- |
 * | `nested`  | `{ error: { code, message, target, innerError } }`: Partner API, Microsoft REST guidelines   |
 * | `flat`    | `{ code, description, data: [], source }`: the older Partner API                             |
 * | `legacy`  | as `flat`, but `data` is a dictionary, or `Source` has a capital, or `other_errors` is there |
 * | `gateway` | `{ statusCode, message }`: an API gateway that never asked the API                           |
 * | `problem` | `{ type, title, status, detail, instance }`: problem details, RFC 9457                       |
 */
export type ApiErrorShape = 'nested' | 'flat' | 'legacy' | 'gateway' | 'problem';

/** What the body of a failed answer says, whatever shape it came in. */
export interface ApiError {
  readonly shape: ApiErrorShape;
  /**
   * The server's code; a number is given as its decimal digits, and `''` means that there was none. Of a gateway it
   * is the status, of a problem its `type`, or its status where the type is `about:blank` (RFC 9457 §4.2.1).
   */
  readonly code: string;
  /** For people. As the server sent it: not shortened, not redacted, `''` where there was none. */
  readonly message: string;
  /** Where the error originated: `target` when nested, `instance` of a problem. */
  readonly target?: string | undefined;
  /** Which service reported it: `source` or `Source`. */
  readonly source?: string | undefined;
  /**
   * What the server listed beside it, element by element as it was sent: `details` when nested, `data` when flat,
   * `data` and then `other_errors` when legacy, `errors` of a problem. Anything but a list counts as a list of one.
   */
  readonly details: readonly unknown[];
  /** The next `innerError` that has a code. At most 32 levels are read. */
  readonly inner?: ApiError | undefined;
  /** The object that this was read from: the parsed body, or the inner error's part of it. */
  readonly raw: unknown;
}

/** Longest body that is parsed: characters of a string, bytes of a buffer. */
const MAX_BODY = 1_048_576;

const MAX_LEVELS = 32;

/**
 * Reads the error out of an answer's body; `undefined` if it holds none that we know. Never throws, never changes
 * what it is given.
 *
 * `body` is text, bytes in UTF-8 (any ArrayBuffer view, or the buffer itself; a byte order mark is skipped) or an
 * object that was parsed already. Everything else, a stream or a Blob for instance, is `undefined`. Text and bytes
 * are parsed up to 1 MiB, and only if `contentType` names JSON or is absent.
 *
 * An object counts as an error when it has
 * - an object `error` with a `code` or a `message`;
 * - or a `code`, a `description` and a `source`, or the first two and nothing else but a list `data`;
 * - or a code and a message together with a mark of the legacy shape;
 * - or a `statusCode` from 400 to 599 and a `message`;
 * - or a `status` from 400 to 599 and a `title` or a `detail`; a body that is announced as
 *   `application/problem+json` needs only one of the members of RFC 9457.
 *
 * So `{ code, message }` is none, and `{ statusCode: 200, message: 'OK' }` is none either. The rule is still meant for
 * answers that failed: a country `{ code: 'DE', description: 'Germany' }` looks just like an error.
 */
export function readApiError(body: unknown, contentType?: string | undefined): ApiError | undefined {
  // Getters and proxies throw what they like, and JSON.parse throws on most of what servers call JSON.
  try {
    const mediaType = typeof contentType === 'string' ? (contentType.split(';', 1)[0] ?? '').trim().toLowerCase() : '';
    const value = isEncoded(body) ? parse(body, mediaType) : body;
    if (!isRecord(value)) return undefined;
    const announced = mediaType === 'application/problem+json';
    return (
      readNested(value) ??
      (announced ? readProblem(value, announced) : undefined) ??
      readFlat(value) ??
      readGateway(value) ??
      readProblem(value, false)
    );
  } catch {
    return undefined;
  }
}

/** The innermost error, which the server was most specific about; the error itself if it has no inner one. */
export function mostSpecific(error: ApiError): ApiError {
  let deepest = error;
  while (deepest.inner !== undefined) deepest = deepest.inner;
  return deepest;
}

type Encoded = string | ArrayBuffer | ArrayBufferView<ArrayBuffer>;

type Dictionary = { readonly [name: string]: unknown };

function isEncoded(body: unknown): body is Encoded {
  // By tag, because a buffer from another realm (a test runner's, a frame's) is no instance of our ArrayBuffer.
  const isBuffer = Object.prototype.toString.call(body) === '[object ArrayBuffer]';
  return typeof body === 'string' || ArrayBuffer.isView(body) || isBuffer;
}

function parse(body: Encoded, mediaType: string): unknown {
  if (mediaType !== '' && !mediaType.includes('json')) return undefined;
  if ((typeof body === 'string' ? body.length : body.byteLength) > MAX_BODY) return undefined;
  // trim() takes a byte order mark away as well.
  const text = (typeof body === 'string' ? body : new TextDecoder().decode(body)).trim();
  return text.startsWith('{') ? JSON.parse(text) : undefined;
}

function readNested({ error }: Dictionary): ApiError | undefined {
  const levels: Dictionary[] = [];
  for (let level = error; isRecord(level) && !levels.includes(level) && levels.length < MAX_LEVELS; ) {
    levels.push(level);
    level = level.innerError ?? level.innererror;
  }
  return levels.reduceRight<ApiError | undefined>((inner, raw, depth) => {
    const code = textOf(raw.code);
    const message = textOf(raw.message);
    // An inner level without a code (a timestamp, a request id) is no more specific than the one around it.
    if (code === '' && (depth > 0 || message === '')) return inner;
    return { shape: 'nested', code, message, target: wordOf(raw.target), details: listOf(raw.details), inner, raw };
  }, undefined);
}

function readFlat(raw: Dictionary): ApiError | undefined {
  const { data, Source, other_errors: otherErrors } = raw;
  const description = textOf(raw.description);
  const source = wordOf(raw.source) ?? wordOf(Source);

  if (Array.isArray(otherErrors) || wordOf(Source) !== undefined || (isRecord(data) && source !== undefined)) {
    const code = textOf(raw.code) || textOf(raw.error_code);
    const message = description || textOf(raw.message);
    const details = [...listOf(data), ...listOf(otherErrors)];
    return code === '' || message === '' ? undefined : { shape: 'legacy', code, message, source, details, raw };
  }

  const code = textOf(raw.code);
  if (code === '' || description === '') return undefined;
  if (source === undefined && !isBareError(raw)) return undefined;
  return { shape: 'flat', code, message: description, source, details: listOf(data), raw };
}

/** A code and a description are not much: half the products of this world have them. Nothing else may stand beside. */
function isBareError(body: Dictionary): boolean {
  return Object.keys(body).every(
    (name) => name === 'code' || name === 'description' || (name === 'data' && Array.isArray(body.data)),
  );
}

function readGateway(raw: Dictionary): ApiError | undefined {
  const status = errorStatusOf(raw.statusCode);
  const message = textOf(raw.message);
  if (status === undefined || message === '') return undefined;
  return { shape: 'gateway', code: String(status), message, details: [], raw };
}

function readProblem(raw: Dictionary, announced: boolean): ApiError | undefined {
  const status = errorStatusOf(raw.status);
  const type = wordOf(raw.type);
  const message = textOf(raw.detail) || textOf(raw.title);
  const isProblem = announced
    ? status !== undefined || type !== undefined || message !== ''
    : status !== undefined && message !== '';
  if (!isProblem) return undefined;
  const code = type !== undefined && type !== 'about:blank' ? type : String(status ?? 'about:blank');
  return { shape: 'problem', code, message, target: wordOf(raw.instance), details: listOf(raw.errors), raw };
}

/** Text, or a number's digits; of OData's `{ lang, value }` its value; else `''`. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Number.isFinite(value)) return String(value);
  return isRecord(value) && typeof value.value === 'string' ? value.value : '';
}

function wordOf(value: unknown): string | undefined {
  return textOf(value) || undefined;
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return value === undefined || value === null ? [] : [value];
}

function errorStatusOf(value: unknown): number | undefined {
  const status = Number(textOf(value));
  return Number.isInteger(status) && status >= 400 && status <= 599 ? status : undefined;
}

/** A plain object, of any realm or without a prototype: no array, and no instance of a class such as a stream. */
function isRecord(value: unknown): value is Dictionary {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
