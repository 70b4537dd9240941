import axios, {
  AxiosError,
  AxiosHeaders,
  type AxiosInstance,
  type AxiosResponse,
  type CreateAxiosDefaults,
  type InternalAxiosRequestConfig,
} from 'axios';
import { type Attachment, attachWith } from '../../lib/attach.ts';
import type { Policy } from '../../lib/policy/options.ts';
import { ManualClock } from './manual-clock.ts';

/** What the n-th send (from 0) gets: a status, an answer, or an error to reject with. */
export type Line = number | { status: number; headers?: Record<string, string>; data?: unknown } | Error;

export interface Scripted {
  readonly client: AxiosInstance;
  readonly holdfast: Attachment;
  readonly clock: ManualClock;
  /** The instants of the sends, in ms from the first. */
  readonly sentAt: readonly number[];
  /** Makes a call and moves the clock until it has ended; gives the response or the error. */
  call(config?: Parameters<AxiosInstance['request']>[0]): Promise<unknown>;
}

/**
 * An instance whose sends never leave the process: an adapter answers them from a script, and time is moved by hand. The
 * random number is always 1, so that full jitter gives its upper bound.
 */
export function scripted(
  script: readonly Line[] | ((n: number, config: InternalAxiosRequestConfig) => Line),
  policy: Policy = {},
  { random = () => 1, ...defaults }: CreateAxiosDefaults & { random?: () => number } = {},
): Scripted {
  const clock = new ManualClock();
  const sends: number[] = [];
  const adapter = async (config: InternalAxiosRequestConfig): Promise<AxiosResponse> => {
    const n = sends.push(clock.now()) - 1;
    const line = typeof script === 'function' ? script(n, config) : script[n];
    if (line === undefined) throw new Error(`send ${n + 1} is not in the script`);
    return play(line, config);
  };
  const client = axios.create({ baseURL: 'https://api.example.com', adapter, ...defaults });
  const holdfast = attachWith({ clock, random }, client, policy);
  return {
    client,
    holdfast,
    clock,
    get sentAt() {
      return sends.map((at) => at - (sends[0] ?? 0));
    },
    call: (config = { url: '/' }) => clock.run(client.request(config).catch((error: unknown) => error)),
  };
}

/** What axios' own adapters do with an answer. */
function play(line: Line, config: InternalAxiosRequestConfig): AxiosResponse {
  if (line instanceof Error) throw line;
  const { status, headers = {}, data = '' } = typeof line === 'number' ? { status: line } : line;
  const response = { status, statusText: '', headers: new AxiosHeaders(headers), config, data, request: {} };
  if (!config.validateStatus || config.validateStatus(status)) return response;
  const code = status >= 500 ? AxiosError.ERR_BAD_RESPONSE : AxiosError.ERR_BAD_REQUEST;
  throw new AxiosError(`Request failed with status code ${status}`, code, config, {}, response);
}

/** What axios' adapters reject with when there is no answer. */
export function networkError(code: string, config?: InternalAxiosRequestConfig): AxiosError {
  return new AxiosError(code, code, config, {});
}
