import type { Call } from '../call/call.ts';
import type { EventName, EventOf, Events } from '../call/events.ts';
import { oneLine } from '../call/one-line.ts';
import { timeSpent } from '../call/spent.ts';
import { durationOf, timeOf } from '../call/time-shown.ts';
import { print } from './print.ts';

/** Where the lines of the log go, one at a time. `console`, pino, winston and most other loggers fit. */
export interface Logger {
  /** For what goes as it should. */
  debug(line: string): unknown;
  /** For what delays calls. */
  info(line: string): unknown;
  /** For what ends calls, or will end them. */
  warn(line: string): unknown;
}

/** How much is printed; or a logger, which is told everything. See `Policy.log`. */
export type Log = 'retries' | 'all' | Logger;

type Level = keyof Logger;

/** Longest line, in characters. */
const MAX_LINE = 2_000;

/** What happens in every call. `'retries'` leaves it out. */
const USUAL: ReadonlySet<EventName> = new Set<EventName>(['sent', 'answered', 'queued', 'poll-scheduled']);

const toConsole: Logger = {
  debug: (line) => print('debug', line),
  info: (line) => print('info', line),
  warn: (line) => print('warn', line),
};

/** Whether a log is told of an event. */
export const isLogged = (name: EventName, log: Log): boolean => log !== 'retries' || !USUAL.has(name);

/**
 * Writes an event to a log, as one line: how long after its call began, which call, what happens and why.
 *
 * @param nowMs the time of day, in ms since the epoch
 * @returns what the logger gave, which may be a promise that rejects
 */
export function logEvent<E extends EventName>(log: Log, name: E, event: EventOf<E>, nowMs: number): unknown {
  if (name === 'finished' && log === 'retries' && isUsualEnd(event as Events['finished'])) return undefined;
  const { level, words } = (LINES[name] as (event: Events[E]) => Line)(event);
  const { call } = event as { readonly call?: Call };
  const about =
    call && ` +${(Math.max(0, nowMs - call.startedAt) / 1_000).toFixed(3)} s ${call.id} ${call.method} ${call.url}`;
  const logger = typeof log === 'string' ? toConsole : log;
  return logger[level](oneLine(`holdfast${about ?? ''}: ${words}`, MAX_LINE));
}

/** Whether the end of a call is nothing special: its caller cancelled it, or it ended with its first send. */
function isUsualEnd({ endedBecause, report }: Events['finished']): boolean {
  if (endedBecause === 'cancelled') return true;
  return report.sends.length <= 1 && ['success', 'not-retryable', 'disabled'].includes(endedBecause);
}

interface Line {
  readonly level: Level;
  readonly words: string;
}

const debug = (words: string): Line => ({ level: 'debug', words });
const info = (words: string): Line => ({ level: 'info', words });
const warn = (words: string): Line => ({ level: 'warn', words });

const because = (reason: string | undefined): string => (reason === undefined ? '' : ` (${reason})`);
/** Most policies have one credential only; its key is the empty string. */
const ofKey = (key: string): string => (key === '' ? '' : ` of ${key}`);

const LINES: { readonly [E in EventName]: (event: Events[E]) => Line } = {
  sent: ({ send }) => debug(`send ${send} leaves`),
  answered: ({ send, status, code, verdict, reason, durationMs }) =>
    debug(
      `send ${send}: ${status ?? code ?? 'no answer'} after ${durationOf(durationMs)}, ${verdict}${because(reason)}`,
    ),
  'retry-scheduled': ({ retry, delayMs, status, code, verdict, reason }) =>
    info(
      `waits ${durationOf(delayMs)} before retry ${retry}, after ${status ?? code ?? 'no answer'}: ${verdict}${because(reason)}`,
    ),
  'poll-scheduled': ({ poll, delayMs, url, status, reason }) =>
    debug(
      `waits ${durationOf(delayMs)} before poll ${poll} of ${url}, after ${status ?? 'no answer'}${because(reason)}`,
    ),
  refreshing: ({ key, reason }) => info(`the token${ofKey(key)} is refreshed: ${reason}`),
  refreshed: ({ key, durationMs }) => info(`there is a new token${ofKey(key)}, after ${durationOf(durationMs)}`),
  'refresh-failed': ({ key, code, durationMs }) =>
    warn(`the refresh of the token${ofKey(key)} failed after ${durationOf(durationMs)}${because(code)}`),
  'store-lost': ({ key, code }) => warn(`the shared store${ofKey(key)} is lost, or refuses${because(code)}`),
  queued: ({ key, why }) => debug(`waits for a permit of ${key}: ${why}`),
  limited: ({ key, code }) => warn(`the limiter gives no permit of ${key}${because(code)}`),
  paused: ({ key, untilAt }) => info(`nothing is sent to ${key} until ${timeOf(untilAt)}`),
  'budget-empty': ({ key, rule, retries, calls, balance }) =>
    warn(`the retry budget of ${key} is spent: ${rule}, balance ${balance}, ${retries} retries for ${calls} calls`),
  'circuit-opened': ({ key, retryAt }) => warn(`the circuit of ${key} is open until ${timeOf(retryAt)}`),
  'circuit-closed': ({ key }) => info(`the circuit of ${key} is closed again`),
  finished: ({ endedBecause, report }) => {
    const { sends, elapsedMs } = report;
    const story = `after ${sends.length} send${sends.length === 1 ? '' : 's'} in ${timeSpent(elapsedMs, report)}`;
    if (endedBecause === 'cancelled') return debug(`cancelled ${story}`);
    if (endedBecause !== 'success') return warn(`failed ${story}: ${endedBecause}`);
    return sends.length > 1 ? info(`done ${story}`) : debug(`done ${story}`);
  },
};
