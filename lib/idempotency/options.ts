import type { InternalAxiosRequestConfig } from 'axios';
import { A_HEADER, aFunction, aHeaderName, methodNames, oneOf, TURNS_ON } from '../check.ts';
import { type Filled, Group } from '../group.ts';

/**
 * A key that tells the server that several sends are one request, so that repeating a POST does no harm. The server has to know the header.
 *
 * @example
 * attach(client, { idempotency: { header: 'X-Request-Key' } });
 */
export interface IdempotencyOptions {
  /** The header that carries the key. Where the caller has set it, that value stays. Default `Idempotency-Key`. */
  readonly header?: string | undefined;
  /** Which methods get a key, in any letter case. Default `['post', 'patch']`. */
  readonly methods?: readonly string[] | undefined;
  /**
   * Which of these calls get a key, where the server knows it on some of its addresses only: a key that it does not look at makes no repeat
   * harmless. Default: all.
   */
  readonly when?: ((config: InternalAxiosRequestConfig) => boolean) | undefined;
  /**
   * Makes a key. Default: a random UUID without quotes; some servers want it as a quoted string. If it gives what no header may hold
   * (anything but printable ASCII), the call rejects with a TypeError.
   */
  readonly generate?: (() => string) | undefined;
  /**
   * Whether a repeat gets a key of its own. `'never'` (default): all sends of a call have one key. `'after-response'`: a send after an
   * answer gets a new one, and is then made only where the server has surely not applied the one before. Once a send was lost, its key
   * stays: of a POST that was lost and then answered 429, the first send may have been applied.
   */
  readonly renew?: 'never' | 'after-response' | undefined;
}

export type ResolvedIdempotency = Filled<IdempotencyOptions, 'when' | 'generate'>;

export const IDEMPOTENCY = new Group<IdempotencyOptions, ResolvedIdempotency>({
  fields: {
    header: [aHeaderName, 'Idempotency-Key'],
    methods: [methodNames, ['post', 'patch']],
    when: aFunction,
    generate: aFunction,
    renew: [oneOf('never', 'after-response'), 'never'],
  },
  advice: { on: TURNS_ON, text: A_HEADER },
});
