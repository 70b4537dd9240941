import { A_HEADER, aFunction, aHeaderName, methodNames, oneOf, TURNS_ON } from '../check.ts';
import { type Filled, Group } from '../group.ts';

export interface IdempotencyOptions {
  /** The header that carries the key. A value that the caller has set wins. Default `Idempotency-Key`. */
  readonly header?: string | undefined;
  /** The methods that get a key, in any letter case. Default `['post', 'patch']`. */
  readonly methods?: readonly string[] | undefined;
  /** Makes a key: printable ASCII. Default: a random UUID, bare; some servers want it as a quoted string. */
  readonly generate?: (() => string) | undefined;
  /**
   * `'never'` (default): one key for all sends of the call. `'after-response'`: the same while no response
   * has come, a new one after any; a send that was answered is then repeated only if it was provably not applied. But the key of a send
   * that was lost stays: of a POST that was lost and then answered 429 the first send may have been applied.
   */
  readonly renew?: 'never' | 'after-response' | undefined;
}

export type ResolvedIdempotency = Filled<IdempotencyOptions, 'generate'>;

export const IDEMPOTENCY = new Group<IdempotencyOptions, ResolvedIdempotency>({
  fields: {
    header: [aHeaderName, 'Idempotency-Key'],
    methods: [methodNames, ['post', 'patch']],
    generate: aFunction,
    renew: [oneOf('never', 'after-response'), 'never'],
  },
  advice: { on: TURNS_ON, text: A_HEADER },
});
