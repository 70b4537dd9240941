import { warn } from '../../observe/warn.ts';
import type { Clock } from '../../time/clock.ts';
import type { StoreContext, StoredToken, Token, TokenStore } from '../options.ts';
import { tokenOf } from '../token.ts';

/** What the store needs of its page. */
export interface Page {
  readonly locks: Pick<LockManager, 'request'>;
  readonly clock: Pick<Clock, 'after' | 'wall'>;
  /** Opens a channel to the other pages of this origin, which hear what is posted there; gives the function that posts. */
  open(name: string, hear: (message: unknown) => void): (message: string) => void;
  /** Is told when the page was asleep, and may have heard nothing meanwhile. */
  onWake(woken: () => void): void;
}

/** How long the other tabs may take to answer, in ms. */
const ASK_MS = 200;
/**
 * And where another tab had the lock just now: what it got is on its way, unless it was closed. On a busy machine that takes longer than the
 * lock, and to refresh from the token before would end the session.
 */
const ASK_AFTER_ANOTHER_MS = 2_000;
/** How many tokens back a tab can fall and still be known as one of the same session. */
const LINE_LENGTH = 1_000;

/**
 * The tokens of one sign-in, each refreshed from the one before it. Tokens are shared along a line only: after a logout and another
 * sign-in, nobody is given a token of the former user, whatever the keys are.
 */
interface Line {
  /** Of each token that there has been; the newest that this tab knows is the last. */
  marks: readonly number[];
  /** The newest that a refresh gave; `undefined` where this tab knows of no refresh. */
  newest: StoredToken | undefined;
  /** Whether a tab that refreshed has told what came of it, since this one began to wait. */
  hasHeardTheEnd: boolean;
  /** Ends the wait for an answer. */
  answered: (() => void) | undefined;
  /** Is told when the tab that had the lock before has said how its refresh ended. */
  ended: (() => void) | undefined;
}

/** What tabs say to each other, as JSON. */
type Message = { readonly key: string } & (
  | { readonly kind: 'ask' | 'forget'; readonly mark?: number | undefined }
  | { readonly kind: 'answer' | 'refreshed'; readonly marks: readonly number[]; readonly token: StoredToken }
  | { readonly kind: 'failed' }
);

/**
 * The store of one tab among several: a Web Lock for each key lets one of them refresh, and a BroadcastChannel tells the others what it got.
 * Nothing is kept but in the memory of the tabs.
 *
 * A tab that closes during its refresh frees its lock, and the next one refreshes.
 */
export class WebLocksTokenStore implements TokenStore {
  readonly #name: string;
  readonly #page: Page;
  readonly #lines = new Map<string, Line>();
  #post: ((message: string) => void) | undefined;
  /**
   * Whether nobody has spoken since this tab last asked. Then nobody can know more than it does: to get a token, another tab would have had
   * to ask first, or to have asked before.
   */
  #isAlone = false;

  constructor(name: string, page: Page) {
    this.#name = name;
    this.#page = page;
  }

  async refresh(
    key: string,
    generation: number,
    refresh: (newest?: StoredToken) => Promise<Token>,
    { signal, lost = () => {}, token }: StoreContext = {},
  ): Promise<StoredToken> {
    const line = this.#lineOf(key, token);
    const need: Need = { key, line, generation, token, refresh, lost };
    const known = this.#newerThan(need);
    if (known !== undefined) return known;
    let done: Promise<StoredToken> | undefined;
    const run = (hasWaited: boolean) => {
      done = this.#refreshAlone(need, hasWaited);
      return done;
    };
    try {
      this.#open();
      const { locks } = this.#page;
      const name = `axios-holdfast:${JSON.stringify([this.#name, key])}`;
      const atOnce = await locks.request(name, { ifAvailable: true }, (lock) =>
        lock === null ? undefined : run(false),
      );
      if (atOnce !== undefined) return atOnce;
      line.hasHeardTheEnd = false;
      return await locks.request(name, signal === undefined ? {} : { signal }, () => run(true));
    } catch (error) {
      if (done !== undefined) return done;
      if (signal?.aborted) throw error;
      lost(error);
      return { ...(await refresh()), generation };
    }
  }

  forget(key: string): void {
    const line = this.#lines.get(key);
    if (line === undefined) return;
    this.#lines.delete(key);
    this.#say({ kind: 'forget', key, mark: line.marks.at(-1) });
  }

  /** What this tab knows of the session that the token is of; another session's is forgotten. */
  #lineOf(key: string, token: Token | undefined): Line {
    const mark = token === undefined ? undefined : markOf(token.value);
    const known = this.#lines.get(key);
    if (known !== undefined && (mark === undefined || known.marks.includes(mark))) return known;
    const line: Line = {
      marks: mark === undefined ? [] : [mark],
      newest: undefined,
      hasHeardTheEnd: false,
      answered: undefined,
      ended: undefined,
    };
    this.#lines.set(key, line);
    return line;
  }

  /** The newest token, where it is another than the one to be replaced, and good. */
  #newerThan(need: Need): StoredToken | undefined {
    const { newest } = need.line;
    if (newest === undefined || !isNewer(newest, need)) return undefined;
    const { expiresAt = Number.POSITIVE_INFINITY } = newest;
    return expiresAt > this.#page.clock.wall() ? newest : undefined;
  }

  /** Refreshes, unless another tab has: what it said last may not have been heard, or this tab be new. Call it with the lock. */
  async #refreshAlone(need: Need, hasWaited: boolean): Promise<StoredToken> {
    const { key, line, generation, refresh, lost } = need;
    const told = this.#newerThan(need);
    if (told !== undefined) return told;
    await this.#ask(key, line, hasWaited && !line.hasHeardTheEnd);
    const answer = this.#newerThan(need);
    if (answer !== undefined) return answer;
    const { newest } = line;
    const wasLeft = hasWaited && !line.hasHeardTheEnd;
    let token: Token;
    try {
      const isOfUse = newest !== undefined && (newest.generation > generation || isNewer(newest, need));
      token = await refresh(isOfUse ? newest : undefined);
    } catch (error) {
      this.#say({ kind: 'failed', key });
      if (wasLeft) warn('HOLDFAST_TABS', LEFT);
      throw error;
    }
    const stored = { ...token, generation: Math.max(newest?.generation ?? 0, generation) + 1 };
    line.newest = stored;
    line.marks = [...line.marks, markOf(token.value)].slice(-LINE_LENGTH);
    try {
      // Not after a logout meanwhile.
      if (this.#lines.get(key) === line) this.#say({ kind: 'refreshed', key, marks: line.marks, token: stored });
    } catch (error) {
      lost(error);
    }
    return stored;
  }

  /** Asks the other tabs for a newer token, and waits for the first answer. */
  async #ask(key: string, line: Line, afterAnother: boolean): Promise<void> {
    if (this.#isAlone && !afterAnother) return;
    this.#isAlone = true;
    await new Promise<void>((resolve) => {
      const { clock } = this.#page;
      let stop = clock.after(afterAnother ? ASK_AFTER_ANOTHER_MS : ASK_MS, resolve);
      line.answered = () => {
        stop();
        resolve();
      };
      // It got nothing for this session, and somebody else may still know more.
      const ended = () => {
        stop();
        stop = clock.after(ASK_MS, resolve);
      };
      line.ended = afterAnother ? ended : undefined;
      this.#say({ kind: 'ask', key, mark: line.marks.at(-1) });
    });
    line.answered = undefined;
    line.ended = undefined;
  }

  /** A tab that needs no refresh opens nothing. */
  #open(): void {
    if (this.#post !== undefined) return;
    this.#post = this.#page.open(`axios-holdfast:${this.#name}`, (data) => {
      const message = messageOf(data);
      if (message !== undefined) this.#hear(message);
    });
    this.#page.onWake(() => {
      this.#isAlone = false;
    });
  }

  #say(message: Message): void {
    this.#post?.(JSON.stringify(message));
  }

  #hear(message: Message): void {
    this.#isAlone = false;
    const { key } = message;
    const line = this.#lines.get(key);
    if (line === undefined) return;
    switch (message.kind) {
      case 'ask': {
        const { marks, newest } = line;
        if (newest === undefined || (message.mark !== undefined && !marks.includes(message.mark))) return;
        this.#say({ kind: 'answer', key, marks, token: newest });
        return;
      }
      case 'forget':
        if (message.mark !== undefined && line.marks.includes(message.mark)) this.#lines.delete(key);
        return;
      case 'failed':
        line.hasHeardTheEnd = true;
        line.ended?.();
        return;
      case 'refreshed':
        line.hasHeardTheEnd = true;
        line.ended?.();
        take(line, message.marks, message.token);
        return;
      case 'answer':
        take(line, message.marks, message.token);
    }
  }
}

/** What one refresh is about. */
interface Need {
  readonly key: string;
  readonly line: Line;
  readonly generation: number;
  /** Which is to be replaced, where that is told. */
  readonly token: Token | undefined;
  readonly refresh: (newest?: StoredToken) => Promise<Token>;
  readonly lost: (error: unknown) => void;
}

const LEFT =
  'a refresh failed after another tab was closed during its own: where refresh tokens can be used once, that tab may have used this one up';

/** By its value, since generations are counted by each session anew; by its expiry, where a refresh gave the same value again. */
function isNewer(stored: StoredToken, { generation, token }: Pick<Need, 'generation' | 'token'>): boolean {
  if (token === undefined) return stored.generation > generation;
  if (stored.value !== token.value) return true;
  return stored.expiresAt !== undefined && token.expiresAt !== undefined && stored.expiresAt > token.expiresAt;
}

/** Takes what another tab has, if that was refreshed from what this one has. */
function take(line: Line, marks: readonly number[], token: StoredToken): void {
  const mark = line.marks.at(-1);
  const isOurs = mark === undefined ? token.generation > (line.newest?.generation ?? 0) : marks.includes(mark);
  if (!isOurs) return;
  line.marks = marks;
  line.newest = token;
  line.answered?.();
}

/** `undefined` for what another version of this package says, and is not understood here. */
function messageOf(data: unknown): Message | undefined {
  try {
    const message: Message = JSON.parse(String(data));
    if (typeof message.key !== 'string') return undefined;
    if (message.kind !== 'answer' && message.kind !== 'refreshed') return message;
    tokenOf(message.token, 'the token store');
    return Array.isArray(message.marks) ? message : undefined;
  } catch {
    return undefined;
  }
}

/** Stands for a token among the tabs, 53 bits of it (the hash is cyrb53): so an old one need not be sent about, or kept. */
function markOf(value: string): number {
  let [high, low] = [0xdeadbeef, 0x41c6ce57];
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    high = Math.imul(high ^ code, 2_654_435_761);
    low = Math.imul(low ^ code, 1_597_334_677);
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  return 2 ** 32 * (low & 0x1f_ffff) + (high >>> 0);
}
