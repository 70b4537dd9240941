const MASK = '[redacted]';

/** Fewest characters of a secret that is looked for: shorter ones are found in many words. */
const MIN_SECRET = 4;

/** A part of the text that must not be seen; `to` is the first character behind it. */
type Span = readonly [from: number, to: number];

/**
 * The text with `[redacted]` in place of each part that may be a secret:
 * - whatever equals one of the `secrets` (those of fewer than 4 characters are ignored);
 * - credentials behind the name of an HTTP authentication scheme, as in `Bearer xyz`;
 * - what looks like a JWT;
 * - query, fragment, user and password of URLs, and values as in `password=xyz`.
 *
 * Parts that meet or overlap become one. For each secret, the time grows with the length of the text, and no faster.
 */
export function redact(text: string, secrets: Iterable<string>): string {
  const spans: Span[] = [...spansOfSecrets(text, secrets), ...spansOfPatterns(text), ...spansOfQueries(text)];
  spans.sort(([a], [b]) => a - b);

  let redacted = '';
  let end = -1;
  for (const [from, to] of spans) {
    if (from > end) redacted += text.slice(Math.max(end, 0), from) + MASK;
    end = Math.max(end, to);
  }
  return redacted + text.slice(Math.max(end, 0));
}

// What the group of a pattern matches is hidden; it always stands at the end. The patterns take linear time: what follows a repeated class
// is never in that class, and a search that could begin anywhere in a run of characters begins at its start only.

/** The word behind a scheme; not where it is plain English ("Bearer token expired", "OAuth 2.0") or a scheme once more. */
const TOKEN =
  /\b(?:Bearer|Basic|OAuth|DPoP)[\s:]+(?!(?:Bearer|Basic|OAuth|DPoP|access|auth|authentication|authorization|challenges?|credentials?|scheme|tokens?|[12]\.0a?)(?:[,;:!?"')]|\.?(?:\s|$)))["']?([^\s"',;]+)/gi;

const PARAMETERS = /\b(?:OAuth|Digest|AWS4-HMAC-SHA256)\s+((?:[\w-]+=(?:"[^"]*"|[^\s",]+)(?:[\s,]*(?=[\w-]+=))?)+)/gi;

const JWT = /(?<![\w-])(eyJ[\w-]*\.[\w-]+(?:\.[\w-]*)*)/g;

const USER_INFO = /:\/\/([^\s/?#]+)(?=@)/g;

const ASSIGNMENT = /(?:token|secret|passw(?:or)?d|key|sig|signature)(?:=|["']:\s*)["']?([^\s"'&,;]+)/gi;

const WORD = /[^\s"<>]+/g;

function* spansOfSecrets(text: string, secrets: Iterable<string>): Generator<Span> {
  for (const secret of new Set(secrets)) {
    if (secret.length < MIN_SECRET) continue;
    for (let at = text.indexOf(secret); at !== -1; at = text.indexOf(secret, at + secret.length)) {
      yield [at, at + secret.length];
    }
  }
}

function* spansOfPatterns(text: string): Generator<Span> {
  for (const pattern of [TOKEN, PARAMETERS, JWT, USER_INFO, ASSIGNMENT]) {
    for (const { 0: match, 1: hidden = '', index } of text.matchAll(pattern)) {
      const to = index + match.length;
      yield [to - hidden.length, to];
    }
  }
}

/** What follows the `?` or `#` of a URL, absolute or relative. "Really?" is no URL. */
function* spansOfQueries(text: string): Generator<Span> {
  for (const { 0: word, index } of text.matchAll(WORD)) {
    const mark = word.search(/[?#]/);
    if (mark === -1 || mark === word.length - 1) continue;
    if (word.lastIndexOf('/', mark) !== -1 || word.includes('=', mark)) yield [index + mark + 1, index + word.length];
  }
}
