import { headerOf } from '../call/header.ts';

/** The headers that name a request in the server's log, and those that name the call; in the order of trust. */
const REQUEST_IDS = ['MS-RequestId', 'request-id', 'x-request-id', 'x-ms-request-id', 'client-request-id'];
const CORRELATION_IDS = ['MS-CorrelationId', 'client-request-id', 'x-correlation-id'];

/** Of the names that a policy knows: those of a request. */
const IS_OF_REQUEST = /req(?:uest)?[-_]?id$/i;

interface Id {
  readonly name: string;
  readonly value: string;
}

export const requestIdIn = (headers: unknown, named: readonly string[], except?: string): Id | undefined =>
  firstOf(headers, [...named.filter((name) => IS_OF_REQUEST.test(name)), ...REQUEST_IDS], except);

export const correlationIdIn = (headers: unknown): string | undefined => firstOf(headers, CORRELATION_IDS)?.value;

/**
 * Every id of an answer, under the names as they are written here, or in the policy.
 *
 * @param body of an error: some families name the request there, and nowhere else
 * @param named what the policy knows
 */
export function idsOf(headers: unknown, body: unknown, named: readonly string[]): { readonly [name: string]: string } {
  const ids: Record<string, string> = Object.create(null);
  for (const name of [...named, ...REQUEST_IDS, ...CORRELATION_IDS]) {
    const value = headerOf(headers, name.toLowerCase()) ?? (named.includes(name) ? headerOf(body, name) : undefined);
    if (value) ids[name] = value;
  }
  return Object.freeze(ids);
}

function firstOf(headers: unknown, names: readonly string[], except?: string): Id | undefined {
  for (const name of names) {
    const value = headerOf(headers, name.toLowerCase());
    if (value && value !== except) return { name, value };
  }
  return undefined;
}
