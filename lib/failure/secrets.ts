import { REMOVED_BY_URL } from '../call/address.ts';
import { parseChallenges } from './challenge.ts';

/**
 * The strings in an axios request config that no message may repeat, each once, in no particular order:
 * - of `Authorization` and `Proxy-Authorization`: the whole value, what follows the scheme, each parameter, user and password of Basic;
 * - the value of each cookie, and of every header whose name tells a secret: it has token, secret, key, passw, auth, credential, session
 *   or signature in it;
 * - user and password of `auth` and `proxy.auth`, and the two as Basic encodes them;
 * - user, password and query values of `url` and `baseURL`, as written and decoded; user and password also as Basic encodes them;
 * - strings and numbers in `params`, its own and those nested once or twice, as written and as axios encodes them;
 * - values under a name that tells a secret, in a body that is JSON or a form of up to 16,384 characters, four levels deep. Of a list the
 *   strings, but not plain words under `keys`.
 *
 * Never throws, whatever it is given: what can't be read is left out.
 */
export function secretsOf(config: unknown): string[] {
  const secrets = new Set<string>();
  const add = (values: readonly unknown[]): void => {
    for (const value of values) if (typeof value === 'string' && value !== '') secrets.add(value);
  };

  for (const [name, value] of entriesOf(read(config, 'headers'))) {
    const lines = isObject(value) ? entriesOf(value).map(([, line]) => line) : [value];
    for (const line of lines) if (isLeaf(line)) add(secretsOfHeader(name, String(line)));
  }
  for (const auth of [read(config, 'auth'), read(read(config, 'proxy'), 'auth')]) {
    const [username, password] = [read(auth, 'username'), read(auth, 'password')];
    add([username, password, basic(username, password)]);
  }
  add(secretsOfUrl(read(config, 'url')));
  add(secretsOfUrl(read(config, 'baseURL')));
  for (const leaf of leavesOf(read(config, 'params'))) add([leaf, encoded(leaf)]);
  add(secretsOfBody(read(config, 'data')));
  return [...secrets];
}

const SENSITIVE_NAME = /auth|token|secret|key|passw|credential|session|signature/i;

/** Longest body that is looked through, in characters. */
const MAX_BODY = 16_384;

/** Most fields of a form that is looked through. */
const MAX_FIELDS = 1_000;

/** Levels of `params` that are read: its own values, those nested once, and those nested twice. */
const MAX_LEVELS = 3;

function secretsOfBody(data: unknown): string[] {
  if (typeof data === 'string') {
    if (data.length > MAX_BODY) return [];
    try {
      return namedSecrets(JSON.parse(data));
    } catch {
      return formSecrets(new URLSearchParams(data));
    }
  }
  return data instanceof URLSearchParams ? formSecrets(data) : [];
}

/** Field by field, since a form may have several fields of one name. */
function formSecrets(form: URLSearchParams): string[] {
  return form.size > MAX_FIELDS ? [] : [...form].flatMap(([name, value]) => namedSecrets(value, 0, name));
}

/** The strings and numbers under a name that tells a secret, so many `levels` deep. */
function namedSecrets(value: unknown, levels = 4, name = ''): string[] {
  if (isLeaf(value)) return SENSITIVE_NAME.test(name) ? [String(value)] : [];
  if (Array.isArray(value)) return value.flatMap((item) => listedSecrets(item, levels, name));
  return levels === 0 ? [] : entriesOf(value).flatMap(([key, inner]) => namedSecrets(inner, levels - 1, key));
}

/** In a list, numbers are no secrets (the `tokens` of a language model), nor are plain words under `keys` (the names of fields). */
function listedSecrets(item: unknown, levels: number, name: string): string[] {
  if (typeof item === 'string')
    return /^keys?$/i.test(name) && /^[a-z_-]+$/i.test(item) ? [] : namedSecrets(item, 0, name);
  return isLeaf(item) || levels === 0 ? [] : namedSecrets(item, levels - 1, name);
}

function secretsOfHeader(name: string, value: string): string[] {
  switch (name.toLowerCase()) {
    case 'authorization':
    case 'proxy-authorization':
      return secretsOfCredentials(value.trim());
    case 'cookie':
      return value.split(';').map((pair) => unquoted(pair.slice(pair.indexOf('=') + 1).trim()));
    default:
      return SENSITIVE_NAME.test(name) ? [value.trim()] : [];
  }
}

function secretsOfCredentials(value: string): string[] {
  const [scheme = ''] = value.split(/\s/, 1);
  const bare = value.slice(scheme.length).trim();
  // Credentials have the grammar of challenges (RFC 9110 §11.4).
  const params = parseChallenges(value).flatMap((credentials) => Object.values(credentials.params));
  return [value, bare, ...params, ...(scheme.toLowerCase() === 'basic' ? userAndPassword(bare) : [])];
}

function userAndPassword(base64: string): string[] {
  try {
    const bytes = Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0));
    return halves(new TextDecoder().decode(bytes), ':');
  } catch {
    return [];
  }
}

/** User and password as a request carries them (RFC 7617). */
function basic(username: unknown, password: unknown): string {
  if (typeof username !== 'string' && typeof password !== 'string') return '';
  const half = (value: unknown) => (typeof value === 'string' ? value : '');
  const bytes = new TextEncoder().encode(`${half(username)}:${half(password)}`);
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

/** By hand, since `URL` knows no relative addresses and throws on the malformed ones. */
function secretsOfUrl(value: unknown): string[] {
  const given = value instanceof URL ? value.href : value;
  if (typeof given !== 'string') return [];
  const url = given.replace(REMOVED_BY_URL, '');
  // With any number of slashes: `new URL` takes one, three, and backslashes.
  const authority = /^(?:[^/\\?#]*:[/\\]*|[/\\]{2,})([^/\\?#]*)/.exec(url)?.[1] ?? '';
  const query = /^[^?#]*\?([^#]*)/.exec(url)?.[1] ?? '';
  const userInfo = authority.slice(0, Math.max(authority.lastIndexOf('@'), 0));
  const values = query.split('&').map((pair) => pair.slice(pair.indexOf('=') + 1));
  const credentials = halves(userInfo, ':');
  const [user, password] = credentials.map(decoded);
  const onTheWire = userInfo === '' ? '' : basic(user, password);
  return [...[...credentials, ...values].flatMap((raw) => [raw, decoded(raw)]), onTheWire];
}

/** As axios writes a parameter. */
function encoded(text: string): string {
  try {
    const plain: { readonly [octet: string]: string } = { '%3A': ':', '%24': '$', '%2C': ',', '%20': '+' };
    return encodeURIComponent(text).replace(/%(?:3A|24|2C|20)/g, (octet) => plain[octet] ?? octet);
  } catch {
    return text;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

/** What stands before the first separator and what after it; without one, the text alone. */
function halves(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

function unquoted(text: string): string {
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}

function leavesOf(params: unknown): string[] {
  const leaves: string[] = [];
  const seen = new Set<unknown>();
  let level = [params];
  for (let depth = 0; depth < MAX_LEVELS; depth += 1) {
    const values = level.flatMap((branch) => entriesOf(branch).map(([, value]) => value));
    for (const value of values) if (isLeaf(value)) leaves.push(String(value));
    // Each branch once: objects that refer to each other would multiply with every level.
    level = values.filter((value) => isObject(value) && !seen.has(value) && seen.add(value));
  }
  return leaves;
}

function isLeaf(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function read(object: unknown, key: string): unknown {
  try {
    return isObject(object) ? (object as { readonly [key: string]: unknown })[key] : undefined;
  } catch {
    return undefined;
  }
}

/** Names and values: of `URLSearchParams` and `Headers` what they iterate over, of anything else its own properties. */
function entriesOf(object: unknown): [string, unknown][] {
  try {
    if (object instanceof URLSearchParams || object instanceof Headers) return [...object];
    return isObject(object) ? Object.keys(object).map((key) => [key, read(object, key)]) : [];
  } catch {
    return [];
  }
}
