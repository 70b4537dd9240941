import { kindOf } from '../check.ts';
import { A_REDIS_CLIENT } from './client.ts';

/**
 * Redis, or the client before it, refuses what it is asked, and will go on doing so until somebody changes its settings: a right is
 * missing, something else lies under the key, the client does not know a Cluster, takes other arguments, or makes something else of replies.
 *
 * That is no outage. Where it were taken for one, every process of a fleet would go on alone, for ever.
 */
export class RedisRefusal extends Error {
  /** The word that Redis begins its error with, as `NOPERM`; `ERR_CLIENT` and `ERR_REPLY` where it is the client's doing. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RedisRefusal';
    this.code = code;
  }
}

/** What never passes by itself. Of what begins with ERR much comes from proxies whose node is away: only these are sure. */
const REFUSES =
  /^(?:NOPERM|NOAUTH|WRONGPASS|DENIED|NOPROTO|WRONGTYPE|CROSSSLOT)\b|^ERR (?:unknown (?:sub|redis )?command|wrong number of arguments|ACL failure|Error compiling script|user_script:|Can't execute )|^Connection in subscriber mode/i;
/** The same within a script, up to Redis 7.0. */
const REFUSES_WITHIN = /^ERR .*(?:\bWRONGTYPE\b|can't run this command|can't access at least one of the keys)/s;
/** What never passes where the client does not follow it. */
const ELSEWHERE = /^(?:MOVED|ASK) /;

/** What the error of a command says that can never pass; `undefined` where it may. */
export function refusalOf(error: unknown, isCluster: boolean): RedisRefusal | undefined {
  const message = messageOf(error);
  const refusal = (code: string, words: string) => new RedisRefusal(code, words, { cause: error });
  if (REFUSES.test(message) || REFUSES_WITHIN.test(message)) return refusal(wordOf(message), message);
  if (isMisuse(error)) return refusal('ERR_CLIENT', `the client failed, which has to be ${A_REDIS_CLIENT}: ${message}`);
  if (isCluster || !ELSEWHERE.test(message)) return undefined;
  const advice = 'a node of a Cluster takes a client that knows it: Cluster of ioredis, createCluster of node-redis';
  return refusal(wordOf(message), `${message}: ${advice}`);
}

/** What a client throws that has the same names, and takes other arguments. Not what fetch throws, by which some reach their Redis. */
const isMisuse = (error: unknown): boolean =>
  error instanceof TypeError && error.cause === undefined && !/fetch|network|load failed/i.test(error.message);

/** Redis begins its errors with a word in capitals, whatever the client. */
export const isRedisError = (error: unknown): boolean => /^[A-Z]{2,} /.test(messageOf(error));

/** It was answered by a node that was the master once. */
export const isReadOnly = (error: unknown): boolean => messageOf(error).startsWith('READONLY ');

/** A reply in another form than ours; of what it holds only the kinds are told, since it may be a token. */
export function unexpectedReply(reply: unknown): RedisRefusal {
  const shown = Array.isArray(reply) ? `[${reply.map(kindOf).join(', ')}]` : kindOf(reply);
  const advice = 'the client has to hand strings over as Redis gives them, and must not parse them';
  return new RedisRefusal('ERR_REPLY', `Redis gave an unexpected reply, ${shown}: ${advice}`);
}

/** The reply of a script of ours: strings. */
export function stringsOf(reply: unknown): readonly string[] {
  if (!Array.isArray(reply) || !reply.every((each) => typeof each === 'string')) throw unexpectedReply(reply);
  return reply;
}

/** Without where in a script it happened. */
const messageOf = (error: unknown): string =>
  String((error as Error | null | undefined)?.message).replace(/ script: [\da-f]{40}, on @user_script.*$/s, '');
const wordOf = (message: string): string => /^[A-Z]{2,}(?= )/.exec(message)?.[0] ?? 'ERR_CLIENT';
