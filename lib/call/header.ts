/**
 * The value of a response header, in whatever letter case its name is written, and whatever holds the headers: AxiosHeaders, a plain
 * object, a fetch `Headers`. Never throws: the odd headers of a mock must not hide the real answer.
 *
 * @param name in lower case, or exactly as `headerNames` gave it
 * @returns the value without white space around it, several values joined with `, ` (RFC 9110 §5.3); `undefined` where the header is
 * absent, can't be read, or is neither a string nor a number
 */
export function headerOf(headers: unknown, name: string): string | undefined {
  if (!isObject(headers)) return undefined;
  try {
    const own = Object.hasOwn(headers, name) ? textOf(headers[name]) : undefined;
    if (own !== undefined) return own;
    // AxiosHeaders and a fetch `Headers` find it themselves, whatever its letter case.
    if (typeof headers.get === 'function') return textOf(headers.get(name));
    const spelled = Object.keys(headers).find((key) => key.length === name.length && key.toLowerCase() === name);
    return spelled === undefined ? undefined : textOf(headers[spelled]);
  } catch {
    return undefined;
  }
}

/** The names of all headers, in the letter case that they have there. Never throws. */
export function headerNames(headers: unknown): readonly string[] {
  if (!isObject(headers)) return [];
  try {
    const own = Object.keys(headers);
    // A fetch `Headers` has no property of its own, only an iterator.
    return own.length === 0 && typeof headers.keys === 'function' ? Array.from(headers.keys(), String) : own;
  } catch {
    return [];
  }
}

/** A header's name as it is spelled there, if it is there; else as it is given. */
export function spellingIn(headers: object, name: string): string {
  if (Object.hasOwn(headers, name)) return name;
  const lower = name.toLowerCase();
  // Asked for each send: the names as a list of their own would be garbage at once.
  for (const key in headers) {
    if (key.length === name.length && key.toLowerCase() === lower && Object.hasOwn(headers, key)) return key;
  }
  return name;
}

/** The value of a header that is to be sent; `undefined` where it is absent, blank, or neither a string nor a number. */
export function sentHeaderOf(headers: Readonly<Record<string, unknown>>, name: string): string | undefined {
  return textOf(headers[spellingIn(headers, name)]) || undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim();
  if (typeof value === 'number') return String(value);
  if (!Array.isArray(value)) return undefined;
  const texts = value.filter((item) => typeof item === 'string' || typeof item === 'number');
  return texts.length === 0 ? undefined : texts.join(', ').trim();
}
