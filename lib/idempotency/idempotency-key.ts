import type { InternalAxiosRequestConfig } from 'axios';
import { headerOf } from '../call/header.ts';
import { headerValue } from '../send/header-value.ts';
import { randomId } from '../time/clock.ts';
import { IDEMPOTENCY, type ResolvedIdempotency } from './options.ts';

/** One call's idempotency key: the caller's own, or one that is made for it. */
export class IdempotencyKey {
  private options: false | ResolvedIdempotency;
  private config: InternalAxiosRequestConfig;
  private value: string | undefined;

  constructor(options: false | ResolvedIdempotency, config: InternalAxiosRequestConfig) {
    this.options = options;
    this.config = config;
  }

  /**
   * Writes the key into a send's headers.
   *
   * @throws {TypeError} when the policy's `generate` gives what no header may hold.
   */
  write(headers: InternalAxiosRequestConfig['headers']): void {
    const { options, config } = this;
    if (options === false || !includes(options.methods, config.method) || this.callers() !== undefined) return;
    const name = spellingIn(headers, options.header);
    // `false` is how a caller of axios says that a header must not be sent.
    if (headers[name] === false) return;
    this.value ??= headerValue((options.generate ?? randomId)(), 'idempotency.generate');
    // It is known to be fit for a header; `set` would look at name and value once more.
    headers[name] = this.value;
  }

  /**
   * Takes note of an answer; gives whether the next send will carry the key that this one did.
   *
   * @param sent the headers that really went out, since `beforeSend` may have taken the key off or written another
   */
  survives(responded: boolean, sent: unknown): boolean {
    const callers = this.callers();
    if (callers === undefined && responded && this.options !== false && this.options.renew === 'after-response') {
      this.value = undefined;
    }
    const next = callers ?? this.value;
    return next !== undefined && headerOf(sent, this.header.toLowerCase()) === next;
  }

  /** The sends to come go by this config, which may bring a key of its own. */
  reroute(config: InternalAxiosRequestConfig): void {
    this.config = config;
  }

  /** The sends to come only ask what has become of the one that had the key. */
  retire(): void {
    this.options = false;
    this.value = undefined;
  }

  get header(): string {
    return (this.options === false ? IDEMPOTENCY.defaults : this.options).header;
  }

  /** A key that the caller has set wins, and counts as one, also where the policy makes none. */
  private callers(): string | undefined {
    return headerOf(this.config.headers, this.header.toLowerCase()) || undefined;
  }
}

/** A header's name as it is spelled there, if it is there. */
function spellingIn(headers: object, name: string): string {
  if (Object.hasOwn(headers, name)) return name;
  const lower = name.toLowerCase();
  return Object.keys(headers).find((key) => key.length === name.length && key.toLowerCase() === lower) ?? name;
}

const includes = (methods: readonly string[], method = 'get'): boolean =>
  methods.some((each) => each.toLowerCase() === method.toLowerCase());
