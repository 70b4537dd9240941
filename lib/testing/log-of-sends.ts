import type { Attachment } from '../attach.ts';
import type { Clock } from '../time/clock.ts';

/** A send, as the clock of the test saw it. */
export interface LoggedSend {
  readonly call: string;
  /** Of its call, from 1. */
  readonly send: number;
  /** `GET https://api.example.com/orders` */
  readonly what: string;
  readonly at: number;
  /** When and by what it was answered; `undefined` while it is not. */
  answer?: { readonly at: number; readonly by: string | number | undefined };
}

/** What an attachment of a test has done: by events, so that it knows of every adapter. */
export interface Log {
  readonly sends: readonly LoggedSend[];
  /** The instants at which refreshes began, and why. */
  readonly refreshes: readonly { readonly at: number; readonly key: string; readonly reason: string }[];
}

const logs = new WeakMap<object, Log>();

export function keepLog(holdfast: Attachment, clock: Pick<Clock, 'now'>): void {
  const sends: LoggedSend[] = [];
  const refreshes: { at: number; key: string; reason: string }[] = [];
  holdfast.on('sent', ({ call: { id, method, url }, send }) => {
    sends.push({ call: id, send, what: `${method} ${url}`, at: clock.now() });
  });
  holdfast.on('answered', ({ call, send, status, code }) => {
    const answered = sends.findLast((each) => each.call === call.id && each.send === send);
    if (answered !== undefined) answered.answer = { at: clock.now(), by: status ?? code };
  });
  holdfast.on('refreshing', ({ key, reason }) => refreshes.push({ at: clock.now(), key, reason }));
  logs.set(holdfast, { sends, refreshes });
}

/** @throws {TypeError} where that is no attachment of `attachForTest` */
export function logOf(holdfast: unknown, callee: string): Log {
  const log = typeof holdfast === 'object' && holdfast !== null ? logs.get(holdfast) : undefined;
  if (log === undefined) throw new TypeError(`${callee} needs what attachForTest() gave`);
  return log;
}
