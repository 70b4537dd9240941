/** One way to sign in that a server offers in `WWW-Authenticate` (RFC 9110 §11.6.1). */
export interface Challenge {
  /** In lower case, for instance `bearer`. */
  readonly scheme: string;
  /** What schemes such as `negotiate` have in place of parameters: one word, usually base64, with its padding. */
  readonly token68?: string | undefined;
  /** By name in lower case, for instance `realm` and `error`. Of a repeated name the first value counts. The object has no prototype. */
  readonly params: { readonly [lowerCasedName: string]: string };
}

/**
 * Reads the challenges of a `WWW-Authenticate` header, in their order; `[]` where there are none. Never throws. The time it takes grows
 * with the length of the header, and no faster.
 *
 * It reads more than RFC 9110 allows, since servers write more: values without the quotes that they need
 * (`OAuth realm=urn:cpsvc:cpid:{some cid}`; spaces are kept between braces), parameters without commas between them, and quotes that
 * never end. What can't be read is left out.
 *
 * @param header one line, or several; anything else holds no challenge
 *
 * @example
 * parseChallenges('Bearer realm="api", error="invalid_token"');
 * // [{ scheme: 'bearer', params: { realm: 'api', error: 'invalid_token' } }]
 */
export function parseChallenges(header: string | readonly string[]): Challenge[] {
  const lines: readonly unknown[] = Array.isArray(header) ? header : [header];
  return lines.flatMap((line) => (typeof line === 'string' ? parseLine(line) : []));
}

function parseLine(line: string): Challenge[] {
  const challenges: Challenge[] = [];
  const cursor = new Cursor(line);
  let params: { [name: string]: string } = Object.create(null);

  while (!cursor.done) {
    const first = cursor.at === 0;
    const gap = cursor.take(GAP);
    const word = cursor.take(WORD);
    if (word === '') {
      cursor.skip();
      continue;
    }
    cursor.take(SPACE);
    if (cursor.take(EQUALS) !== '') {
      const name = word.toLowerCase();
      const value = cursor.value();
      params[name] ??= value;
    } else if (first || gap.includes(',')) {
      params = Object.create(null);
      const token68 = cursor.token68();
      // What is no scheme is left out, and its parameters with it: they must not end up at the challenge before.
      if (!TOKEN.test(word)) continue;
      challenges.push({ scheme: word.toLowerCase(), ...(token68 !== undefined && { token68 }), params });
    }
  }
  return challenges;
}

// Each pattern is one character class, repeated. So none can backtrack, and a hostile line takes no longer than any of its length.
const SPACE = /[ \t\r\n]*/y;
const GAP = /[ \t\r\n,]*/y;
const WORD = /[^ \t\r\n,="]*/y;
const EQUALS = /=?/y;
const BARE = /[^ \t\r\n,{]*/y;
const BRACED = /\{[^,}]*\}?/y;
const UNESCAPED = /[^"\\]*/y;
const TOKEN68 = /[\w.~+/-]+=*/y;
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/** A place in a line. It only moves forward, but for a token68 that turns out to be none. */
class Cursor {
  at = 0;
  readonly #line: string;

  constructor(line: string) {
    this.#line = line;
  }

  get done(): boolean {
    return this.at >= this.#line.length;
  }

  get #next(): string {
    return this.#line.charAt(this.at);
  }

  /** Takes what the sticky `pattern` finds right here; `''` where it finds nothing. */
  take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.#line)?.[0] ?? '';
    this.at += found.length;
    return found;
  }

  /** Passes over a quoted string or a character that belongs to nothing. */
  skip(): void {
    if (this.#next === '"') this.#quoted();
    else this.at += 1;
  }

  value(): string {
    this.take(SPACE);
    return this.#next === '"' ? this.#quoted() : this.#bare();
  }

  /** Takes a token68, which must be followed by a comma or the end; else stays where it is. */
  token68(): string | undefined {
    const start = this.at;
    const token68 = this.take(TOKEN68);
    this.take(SPACE);
    if (token68 !== '' && (this.done || this.#next === ',')) return token68;
    this.at = start;
    return undefined;
  }

  #quoted(): string {
    let value = '';
    this.at += 1;
    for (;;) {
      value += this.take(UNESCAPED);
      const mark = this.#next;
      this.at += 1;
      if (mark !== '\\') return value;
      value += this.#next;
      this.at += 1;
    }
  }

  #bare(): string {
    let value = '';
    for (;;) {
      const piece = this.take(BARE) + this.take(BRACED);
      if (piece === '') return value;
      value += piece;
    }
  }
}
