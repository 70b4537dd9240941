/** Tells, moment by moment, what the calls of a client go through. */
import type { AxiosInstance } from 'axios';
import { type Attachment, failureOf, reportOf } from 'axios-holdfast';
import type { Moment } from './timeline.ts';

/** Gives how many answers there were, by status. */
export function watch(
  client: AxiosInstance,
  holdfast: Attachment,
  tell: (moment: Moment) => void,
): { [status: number]: number } {
  const numbers = new Map<string, number>();
  const numberOf = ({ id }: { id: string }) => {
    const number = numbers.get(id) ?? numbers.size + 1;
    numbers.set(id, number);
    return number;
  };
  holdfast.on('sent', ({ call, send }) => {
    if (send === 1) tell({ kind: 'call', call: numberOf(call), method: call.method, path: new URL(call.url).pathname });
  });
  const answers: { [status: number]: number } = {};
  holdfast.on('answered', ({ call, send, status, code, verdict, reason }) => {
    if (status !== undefined) answers[status] = (answers[status] ?? 0) + 1;
    const result = [status ?? code ?? '', verdict, reason === code ? '' : reason].filter(Boolean).join(' ');
    tell({ kind: 'send', call: numberOf(call), send, result, ok: verdict === 'success' || verdict === 'pending' });
  });
  holdfast.on('retry-scheduled', ({ call, delayMs, verdict }) =>
    tell({ kind: 'wait', call: numberOf(call), ms: delayMs, why: verdict }),
  );
  holdfast.on('poll-scheduled', ({ call, delayMs }) =>
    tell({ kind: 'wait', call: numberOf(call), ms: delayMs, why: 'pending' }),
  );
  holdfast.on('refreshed', ({ durationMs }) => tell({ kind: 'refresh', ms: durationMs, ok: true }));
  holdfast.on('refresh-failed', ({ durationMs }) => tell({ kind: 'refresh', ms: durationMs, ok: false }));
  client.interceptors.response.use(undefined, (error) => {
    const summary = failureOf(error)?.summary;
    if (summary !== undefined) tell({ kind: 'failure', call: numberOf({ id: reportOf(error)?.id ?? '' }), summary });
    throw error;
  });
  return answers;
}
