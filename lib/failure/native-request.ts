import { fieldsOf } from './code.ts';

/**
 * The request that the adapter made, of an answer or an error: Node's own, where axios' http adapter made it. follow-redirects, which that
 * adapter uses, keeps the one of the last hop inside of its own.
 */
export function nativeRequestOf(answerOrError: unknown): object | undefined {
  const { request } = fieldsOf(answerOrError) as { request?: { _currentRequest?: object } | null };
  const native = request?._currentRequest ?? request;
  return typeof native === 'object' && native !== null ? native : undefined;
}
