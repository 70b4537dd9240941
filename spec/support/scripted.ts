import axios, {
  AxiosError,
  type AxiosInstance,
  type CreateAxiosDefaults,
  type InternalAxiosRequestConfig,
} from 'axios';
import type { Attachment, Policy } from 'axios-holdfast';
import { attachForTest, scripted as scriptedAdapter } from 'axios-holdfast/testing';
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
 * A client whose sends never leave the process, by `axios-holdfast/testing`. The random number is always 1, so that full jitter gives its
 * upper bound.
 */
export function scripted(
  script: readonly Line[] | ((n: number, config: InternalAxiosRequestConfig) => Line),
  policy: Policy = {},
  { random = () => 1, ...defaults }: CreateAxiosDefaults & { random?: () => number } = {},
): Scripted {
  const clock = new ManualClock();
  const adapter = scriptedAdapter(
    typeof script === 'function' ? (send, config) => script(send.n - 1, config) : script,
    { clock },
  );
  const client = axios.create({ baseURL: 'https://api.example.com', adapter, ...defaults });
  const holdfast = attachForTest(client, policy, { clock, random });
  return {
    client,
    holdfast,
    clock,
    get sentAt() {
      return adapter.sentAt;
    },
    call: (config = { url: '/' }) => clock.run(client.request(config).catch((error: unknown) => error)),
  };
}

/** What axios' adapters reject with when there is no answer. */
export function networkError(code: string, config?: InternalAxiosRequestConfig): AxiosError {
  return new AxiosError(code, code, config, {});
}
