const MASK = '[redacted]';

/** Shorter secrets are left alone: they occur in every other word. */
const MIN_SECRET = 4;

/** A half-open range of the text that must not be seen. */
type Span = readonly [from: number, to: number];

/**
 * The text with `[redacted]` in place of whatever may let somebody in:
 * - every occurrence of one of the `secrets` (those shorter than 4 characters are ignored);
 * - credentials behind the name of an HTTP authentication scheme, as in `Bearer xyz`;
 * - anything that looks like a JWT;
 * - the query, the fragment and the user information of URLs, and values as in `password=xyz`.
 *
 * Where ranges meet or overlap they become one. Time is proportional to the length of the text, for each secret.
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

// The patterns below take linear time: a repeated class is followed by something outside of it, and a search that could
// begin anywhere in a run is held to the run's beginning. The group, always at the end, is what gets hidden.

/** The word behind a scheme, unless it is plain English ("Bearer token expired", "OAuth 2.0") or the scheme once more. */
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

/** What follows the `?` or `#` of a URL, absolute or relative. "Really?" is none. */
function* spansOfQueries(text: string): Generator<Span> {
  for (const { 0: word, index } of text.matchAll(WORD)) {
    const mark = word.search(/[?#]/);
    if (mark === -1 || mark === word.length - 1) continue;
    if (word.lastIndexOf('/', mark) !== -1 || word.includes('=', mark)) yield [index + mark + 1, index + word.length];
  }
}
