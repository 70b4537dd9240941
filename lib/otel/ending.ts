import type { Attributes } from '@opentelemetry/api';
import { type Outcome, responseOf } from '../call/outcome.ts';
import { codeOf, fieldsOf } from '../failure/code.ts';
import { CONVENTIONS, OTHER } from './names.ts';

/** How a send or a call ended: with which status, and what its error is called, if it is one. */
export function describeEnding(outcome: Outcome, isError = isErrorByConvention(outcome)): Attributes {
  const attributes: Attributes = {};
  const status = statusOf(outcome);
  if (status !== undefined) attributes[CONVENTIONS.status] = status;
  if (isError) attributes[CONVENTIONS.errorType] = errorTypeOf(outcome, status);
  return attributes;
}

/** What an error is called, of which there must be few: its code, else its class. */
function errorNameOf(error: unknown): string {
  const names = [codeOf(error), fieldsOf(error).name];
  return names.find((name): name is string => typeof name === 'string' && NAME.test(name)) ?? OTHER;
}

/** So people write codes and classes. What is written otherwise may be a message, and quote a secret. */
const NAME = /^[A-Za-z_]\w{0,62}$/;

/** To the client, a status from 400 is an error, whether or not axios rejects it. */
const isErrorByConvention = (outcome: Outcome): boolean => 'error' in outcome || Number(statusOf(outcome)) >= 400;

function errorTypeOf({ error }: Outcome, status: number | undefined): string {
  return status !== undefined && status >= 400 ? String(status) : errorNameOf(error);
}

function statusOf(outcome: Outcome): number | undefined {
  // An adapter may give anything.
  const status: unknown = responseOf(outcome)?.status;
  return typeof status === 'number' ? status : undefined;
}
