import type { InternalAxiosRequestConfig } from 'axios';
import { headerOf, sentHeaderOf, spellingIn } from '../call/header.ts';
import type { LiveCall } from '../call/live-call.ts';
import type { Station } from '../call/station.ts';
import { headerValue } from '../send/header-value.ts';
import { randomId } from '../time/clock.ts';
import type { ResolvedIdempotency } from './options.ts';

export interface KeyedCall extends LiveCall {
  /** What its sends are made of: a key that stands in there is the caller's own. */
  readonly template: InternalAxiosRequestConfig;
  /** The key that was made for it; `null` where its sends carry none any more. */
  idempotencyKey: string | undefined | null;
}

/** Writes one key on all sends of a call: the caller's own stays, else one is made. */
export class IdempotencyStation implements Station<KeyedCall> {
  readonly #options: ResolvedIdempotency;

  constructor(options: ResolvedIdempotency) {
    this.#options = options;
  }

  /** @throws {TypeError} when `generate` gives what no header may hold */
  stamp(call: KeyedCall, { headers }: InternalAxiosRequestConfig): void {
    const { generate, header, methods, when } = this.#options;
    if (call.idempotencyKey === null || !includes(methods, call.template.method)) return;
    if (keyOfCaller(call, header) !== undefined || when?.(call.template) === false) return;
    const name = spellingIn(headers, header);
    // `false` is how a caller of axios says that a header must not be sent.
    if (headers[name] === false) return;
    call.idempotencyKey ??= generate ? headerValue(generate(), 'idempotency.generate') : randomId();
    // It is known to be fit for a header; `set` would look at name and value once more.
    headers[name] = call.idempotencyKey;
  }

  /** The sends to come only ask what has become of the one that had the key: they carry none. */
  retire(call: KeyedCall): void {
    call.idempotencyKey = null;
  }

  /**
   * Takes note of an answer: by the policy, the next send may need another key. But not where a send that carried this one was lost, and so
   * may have been applied: of a POST that was lost and then answered 429 a new key would place the order twice.
   */
  arrive(call: KeyedCall): void {
    if (this.#options.renew !== 'after-response' || call.idempotencyKey === null) return;
    const wasLost = call.sends.some(({ status }) => status === undefined);
    if (!wasLost) call.idempotencyKey = undefined;
  }
}

/**
 * Whether the next send will carry the key that the last one did.
 *
 * @param header of the policy, or of the default where that makes no keys: one that the caller has set counts all the same
 * @param sent the headers that really went out, since `beforeSend` may have taken the key off or written another
 */
export function keepsKey(call: KeyedCall, header: string, sent: unknown): boolean {
  const next = keyOfCaller(call, header) ?? call.idempotencyKey ?? undefined;
  return next !== undefined && headerOf(sent, header.toLowerCase()) === next;
}

const keyOfCaller = ({ template }: KeyedCall, header: string): string | undefined =>
  sentHeaderOf(template.headers, header);

const includes = (methods: readonly string[], method = 'get'): boolean =>
  methods.some((each) => each.toLowerCase() === method.toLowerCase());
