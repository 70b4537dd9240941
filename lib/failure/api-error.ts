/**
 * Which convention an error body follows.
 *
 * | shape     | body                                                                                                      |
 * | --------- | --------------------------------------------------------------------------------------------------------- |
 * | `nested`  | `{ error: { code, type, message, target, innerError } }`: Microsoft, Partner API, OpenAI, Stripe, Google  |
 * | `flat`    | `{ code, description, data: [], source }`: the older Partner API                                          |
 * | `legacy`  | as `flat`, but `data` is a dictionary, or `Source` has a capital, or `other_errors` is there              |
 * | `gateway` | `{ statusCode, message }`: an API gateway that never asked the API                                        |
 * | `problem` | `{ type, title, status, detail, instance }`: problem details, RFC 9457                                    |
 * | `word`    | `{ error: 'invalid_grant', error_description }`: OAuth (RFC 6749 §5.2), Slack, Zendesk                    |
 * | `marked`  | `{ message, … }` and what only errors have: AWS, GitHub, HubSpot, Notion, Discord, Twilio                 |
 * | `errors`  | `{ errors: [{ message, … }] }`: GraphQL (GitHub, Shopify); Shopify REST; `{ errorMessages }` of Jira      |
 * | `list`    | `[{ errorCode, message }]`: Salesforce                                                                    |
 * | `own`     | what the `readError` of a policy has read                                                                 |
 */
export type ApiErrorShape =
  | 'nested'
  | 'flat'
  | 'legacy'
  | 'gateway'
  | 'problem'
  | 'word'
  | 'marked'
  | 'errors'
  | 'list'
  | 'own';

/** What the body of a failed answer says, whatever shape it came in. */
export interface ApiError {
  readonly shape: ApiErrorShape;
  /**
   * The server's code, a number as its decimal digits; `''` where there was none.
   *
   * - `nested`: where there is no `code`, the `type`; where it is a number, the reason that Google gives for it (`rateLimitExceeded`,
   *   `RESOURCE_EXHAUSTED`), if there is one.
   * - `gateway`, and GitHub's REST: the status.
   * - `problem`: the `type`, or the status where the type is missing or `about:blank` (RFC 9457 §4.2.1).
   * - `word`: the word. `marked`: `code`, or AWS' `__type`, or HubSpot's `errorType`. `errors`: that of the first, as GraphQL has it.
   */
  readonly code: string;
  /** For people. As the server sent it, not shortened and not redacted; `''` where there was none. */
  readonly message: string;
  /** What the error is about: `target` of the shape `nested`, `instance` of the shape `problem`. */
  readonly target?: string | undefined;
  /** Which service reported it: `source` or `Source` of the shapes `flat` and `legacy`. */
  readonly source?: string | undefined;
  /**
   * What the server listed beside it, each element as it was sent; `[]` where there was nothing. It is `details` of the shape `nested`,
   * `data` of `flat`, `data` and then `other_errors` of `legacy`, `errors` of `problem`, `marked` and `errors`, all of a `list`. Anything but a list counts as a list of one.
   */
  readonly details: readonly unknown[];
  /** The next `innerError` that has a code, or the `ErrorInfo` that Google gives. At most 32 levels are read. */
  readonly inner?: ApiError | undefined;
  /** The object that this was read from: the parsed body, or a part of it. */
  readonly raw: unknown;
}

/**
 * Reads the error out of an answer's body; `undefined` where it holds none of a known shape. Never throws, and never changes what it is
 * given.
 *
 * An object is an error where it has
 * - an object `error` with a `code`, a `type` and a `message`, or one of code and message;
 * - or a `code`, a `description` and a `source`; or the first two, and nothing else but a list `data`;
 * - or a code, a message, and a mark of the shape `legacy`;
 * - or a `statusCode` from 400 to 599, and a `message`;
 * - or a `status` from 400 to 599, and a `title` or a `detail`. Where the content type is `application/problem+json`, one member of
 *   RFC 9457 is enough;
 * - or a word as `error`, beside it an `error_description` or a `description`, or `ok: false`;
 * - or a message, and one of: `__type`, `documentation_url`, `more_info`, `retry_after`, `errorType`, `object: 'error'`; or nothing else but
 *   a code that is a number (Discord);
 * - or `errors` with a message in it, or `errorMessages`.
 *
 * A list is an error where its first element has an `errorCode` and a message, or an object `error` as above.
 *
 * So `{ code, message }` is none, and `{ statusCode: 200, message: 'OK' }` is none. Ask only about answers that failed: the country
 * `{ code: 'DE', description: 'Germany' }` looks just like an error.
 *
 * @param body a parsed object; text; or bytes in UTF-8 (an ArrayBuffer, or any view of one). Text and bytes are parsed up to 1 MiB. Of
 * anything else, such as a stream or a Blob, the result is `undefined`
 * @param contentType the answer's. Where it is given and does not name JSON, text and bytes are not parsed
 *
 * @example
 * readApiError('{"error":{"code":"QuotaExceeded","message":"Try later."}}')?.code; // 'QuotaExceeded'
 */
export function readApiError(body: unknown, contentType?: string | undefined): ApiError | undefined {
  // Getters and proxies throw what they like, and JSON.parse throws on most of what servers call JSON.
  try {
    const mediaType = typeof contentType === 'string' ? (contentType.split(';', 1)[0] ?? '').trim().toLowerCase() : '';
    const value = isEncoded(body) ? parse(body, mediaType) : body;
    if (Array.isArray(value)) return readList(value);
    if (!isRecord(value)) return undefined;
    const announced = mediaType === 'application/problem+json';
    return (
      readNested(value) ??
      (announced ? readProblem(value, announced) : undefined) ??
      readFlat(value) ??
      readGateway(value) ??
      readProblem(value, false) ??
      readWord(value) ??
      readMarked(value) ??
      readErrors(value)
    );
  } catch {
    return undefined;
  }
}

/** What the `readError` of a policy reads: code and message, the latter if there is one. */
export interface OwnError {
  readonly code: string;
  readonly message?: string | undefined;
}

export type ReadError = (body: unknown) => OwnError | undefined;

/** The error in a body of a form that only the policy knows. Never throws. */
export function readOwnError(body: unknown, read: ReadError | undefined): ApiError | undefined {
  if (read === undefined) return undefined;
  try {
    const raw = isEncoded(body) ? parse(body, '') : body;
    const { code, message } = read(raw) ?? {};
    return code === undefined
      ? undefined
      : { shape: 'own', code: textOf(code), message: textOf(message), details: [], raw };
  } catch {
    return undefined;
  }
}

/** The innermost error, which says most exactly what went wrong; the error itself where it has no inner one. */
export function mostSpecific(error: ApiError): ApiError {
  let deepest = error;
  while (deepest.inner !== undefined) deepest = deepest.inner;
  return deepest;
}

/** Longest body that is parsed: characters of a string, bytes of a buffer. */
const MAX_BODY = 1_048_576;

/** Most inner errors that are read. */
const MAX_LEVELS = 32;

type Encoded = string | ArrayBuffer | ArrayBufferView<ArrayBuffer>;

type Dictionary = { readonly [name: string]: unknown };

function isEncoded(body: unknown): body is Encoded {
  // By tag: a buffer of another realm (a frame, the sandbox of a test runner) is no instance of our ArrayBuffer.
  const isBuffer = Object.prototype.toString.call(body) === '[object ArrayBuffer]';
  return typeof body === 'string' || ArrayBuffer.isView(body) || isBuffer;
}

function parse(body: Encoded, mediaType: string): unknown {
  if (mediaType !== '' && !mediaType.includes('json')) return undefined;
  if ((typeof body === 'string' ? body.length : body.byteLength) > MAX_BODY) return undefined;
  // trim() takes a byte order mark away as well.
  const text = (typeof body === 'string' ? body : new TextDecoder().decode(body)).trim();
  return /^[{[]/.test(text) ? JSON.parse(text) : undefined;
}

function readNested({ error }: Dictionary): ApiError | undefined {
  const levels: Dictionary[] = [];
  for (let level = error; isRecord(level) && !levels.includes(level) && levels.length < MAX_LEVELS; ) {
    levels.push(level);
    level = level.innerError ?? level.innererror;
  }
  return levels.reduceRight<ApiError | undefined>((inner, raw, depth) => {
    const code = codeOf(raw);
    const message = textOf(raw.message);
    // An inner level without a code (a timestamp, a request id) is no more specific than the one around it.
    if (code === '' && (depth > 0 || message === '')) return inner;
    return {
      shape: 'nested',
      code,
      message,
      target: wordOf(raw.target),
      details: listOf(raw.details),
      inner: inner ?? infoOf(raw),
      raw,
    };
  }, undefined);
}

/** A number says no more than the status does, where a reason stands beside it. */
function codeOf({ code, type, status, errors }: Dictionary): string {
  const [first] = listOf(errors);
  const reason = (isRecord(first) && textOf(first.reason)) || textOf(status);
  return (typeof code === 'number' && reason) || textOf(code) || textOf(type);
}

/** Google's `ErrorInfo` (AIP-193): the reason, where the code is but a class of errors. */
function infoOf({ details }: Dictionary): ApiError | undefined {
  const raw = listOf(details).find((each) => isRecord(each) && /\.ErrorInfo$/.test(textOf(each['@type'])));
  const code = isRecord(raw) ? textOf(raw.reason) : '';
  return code === '' ? undefined : { shape: 'nested', code, message: '', details: [], raw };
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

/** A product, too, has a code and a description. So where these are all that tells an error, nothing else may stand beside them. */
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

/** The words of RFC 6749 (§4.1.2.1, §5.2) stand alone, too: their description may be left out. */
const OAUTH =
  /^(?:invalid_(?:request|client|grant|scope)|unauthorized_client|unsupported_(?:grant|response)_type|access_denied)$/;

function readWord(raw: Dictionary): ApiError | undefined {
  const { error, error_description: told, description, details, ok } = raw;
  if (typeof error !== 'string' || error === '') return undefined;
  const message = textOf(told) || textOf(description);
  if (message === '' && ok !== false && !OAUTH.test(error)) return undefined;
  return { shape: 'word', code: error, message, details: listOf(details), raw };
}

/** What only the errors of a family have beside their message, and where these keep their code. */
const MARKS: readonly (readonly [mark: string, ...code: string[]])[] = [
  ['__type', '__type'], // AWS, JSON 1.0 and 1.1
  ['errorType', 'errorType'], // HubSpot, of a 429
  ['correlationId', 'category'], // HubSpot
  ['documentation_url', 'status'], // GitHub
  ['more_info', 'code'], // Twilio
  ['retry_after', 'code'], // Discord, of a 429
];

function readMarked(raw: Dictionary): ApiError | undefined {
  const message = textOf(raw.message) || textOf(raw.Message);
  if (message === '') return undefined;
  const [mark, ...names] = MARKS.find(([name]) => raw[name] !== undefined) ?? [];
  const isNotion = raw.object === 'error';
  if (mark === undefined && !isNotion && !isDiscords(raw)) return undefined;
  const told = names.map((name) => textOf(raw[name])).find((text) => text !== '') ?? textOf(raw.code);
  // `com.amazonaws.dynamodb.v20120810#ThrottlingException`, with a URI behind a colon in some services.
  const code = mark === '__type' ? (told.split('#').at(-1)?.split(':')[0] ?? told) : told;
  return { shape: 'marked', code, message, details: listOf(raw.errors), raw };
}

/** As with a flat error, nothing else may stand beside them. */
const isDiscords = (body: Dictionary): boolean =>
  typeof body.code === 'number' && Object.keys(body).every((name) => /^(?:code|message|errors)$/.test(name));

function readErrors(raw: Dictionary): ApiError | undefined {
  const { errors, errorMessages } = raw;
  const listed = [...listOf(errorMessages), ...listOf(errors)];
  const [first] = listed;
  if (!isRecord(first)) {
    const message = textOf(first);
    return message === '' ? undefined : { shape: 'errors', code: '', message, details: listed, raw };
  }
  const { extensions, type, code, message, title, detail } = first;
  const told = textOf(message) || textOf(detail) || textOf(title) || fieldIn(first);
  const named = textOf(isRecord(extensions) ? extensions.code : undefined) || textOf(type) || textOf(code);
  return told === '' ? undefined : { shape: 'errors', code: named, message: told, details: listed, raw };
}

/** What is wrong with the first field, where errors are listed by field: `{ title: ["can't be blank"] }`. */
function fieldIn(errors: Dictionary): string {
  const [[name, told] = []] = Object.entries(errors);
  const [words] = listOf(told);
  return typeof words === 'string' && words !== '' ? `${name}: ${words}` : '';
}

function readList(list: readonly unknown[]): ApiError | undefined {
  const [raw] = list;
  if (!isRecord(raw)) return undefined;
  const code = textOf(raw.errorCode);
  const message = textOf(raw.message);
  // Google answers so where a stream of messages, as one list, begins with an error.
  return code && message ? { shape: 'list', code, message, details: list, raw } : readNested(raw);
}

/** Text, or the digits of a number, or the value of OData's `{ lang, value }`; else `''`. */
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

/** A plain object, of any realm or without a prototype. No array, and no instance of a class, such as a stream. */
function isRecord(value: unknown): value is Dictionary {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
