import axios, { type AxiosError, type AxiosInstance, type CreateAxiosDefaults, isAxiosError } from 'axios';
import { type Attachment, attach, mergePolicies, type Policy } from 'axios-holdfast';
import { onTestFinished } from 'vitest';
import { type Answer, json, type Loopback, loopback } from './loopback.ts';

/** The adapters of axios that run under Node. */
export const ADAPTERS = ['http', 'fetch'] as const;
export type AdapterName = (typeof ADAPTERS)[number];

export interface Attached {
  readonly server: Loopback;
  readonly client: AxiosInstance;
  readonly holdfast: Attachment;
}

/**
 * A server, and a client of it with a policy attached; both are gone when the test ends. Waits that the server does not
 * name take no time.
 */
export async function attached(
  answer: Answer,
  policy: Policy = {},
  defaults: CreateAxiosDefaults = {},
): Promise<Attached> {
  const server = await loopback(answer);
  onTestFinished(() => server.close());
  const client = axios.create({ baseURL: server.url, ...defaults });
  return { server, client, holdfast: attach(client, mergePolicies({ retry: { backoff: () => 0 } }, policy)) };
}

/** Answers with these one after the other, and with the last for ever. */
export function inTurn(...answers: readonly [Answer, ...Answer[]]): Answer {
  return (request, response, n) => (answers[Math.min(n, answers.length - 1)] as Answer)(request, response, n);
}

/** Answers with a status and a small JSON body. */
export function status(code: number, headers: { [name: string]: string } = {}, body: unknown = {}): Answer {
  return (_request, response) => json(response, code, body, headers);
}

/** What a promise rejects with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  const settled = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('error' in settled) return settled.error;
  throw new Error('expected a rejection, but it resolved');
}

/** The AxiosError that a call rejects with. */
export async function axiosErrorOf(call: Promise<unknown>): Promise<AxiosError> {
  const error = await rejectionOf(call);
  if (isAxiosError(error)) return error;
  throw new Error('expected an AxiosError', { cause: error });
}
