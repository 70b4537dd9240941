/** One way to authenticate that a server offers in `WWW-Authenticate` (RFC 9110 §11.6.1). */
export interface Challenge {
  /** In lower case, for instance `bearer`: schemes are case-insensitive. */
  readonly scheme: string;
  /** The credentials-like blob of schemes such as `negotiate`, padding included. */
  readonly token68?: string | undefined;
  /** Names in lower case; of a repeated name the first value counts. The object has no prototype. */
  readonly params: { readonly [lowerCasedName: string]: string };
}

/**
 * Reads the challenges of one header line, or of several, in their order; `[]` if there are none. Never throws, and
 * takes time proportional to the length.
 *
 * More is read than RFC 9110 allows, since a bad challenge must not hide a 401: values that should have been quoted
 * (`OAuth realm=urn:cpsvc:cpid:{some cid}`; spaces are kept inside of braces), missing commas between parameters, and
 * quotes that never end. What can't be read is left out. Anything but a string or a list of strings holds no challenge.
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
      // Parameters of what is no scheme at all must not end up with the challenge before it.
      if (!TOKEN.test(word)) continue;
      challenges.push({ scheme: word.toLowerCase(), ...(token68 !== undefined && { token68 }), params });
    }
  }
  return challenges;
}

// Each pattern is one character class, repeated: nothing to backtrack into, so a hostile line costs no more than its length.
const SPACE = /[ \t\r\n]*/y;
const GAP = /[ \t\r\n,]*/y;
const WORD = /[^ \t\r\n,="]*/y;
const EQUALS = /=?/y;
const BARE = /[^ \t\r\n,{]*/y;
const BRACED = /\{[^,}]*\}?/y;
const UNESCAPED = /[^"\\]*/y;
const TOKEN68 = /[\w.~+/-]+=*/y;
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/** A place in a line that only ever moves on. */
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

  /** What the sticky `pattern` finds right here, else `''`. */
  take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.#line)?.[0] ?? '';
    this.at += found.length;
    return found;
  }

  /** Passes over a stray quoted string or a stray character. */
  skip(): void {
    if (this.#next === '"') this.#quoted();
    else this.at += 1;
  }

  value(): string {
    this.take(SPACE);
    return this.#next === '"' ? this.#quoted() : this.#bare();
  }

  /** A token68, which nothing but a comma or the end may follow; else stays where it is. */
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
