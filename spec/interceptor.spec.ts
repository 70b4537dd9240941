import axios, { type AxiosAdapter, AxiosError, type AxiosInstance, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';
import { InvalidPolicyError } from '../lib/failure/errors.ts';
import { failureOf, reportOf } from '../lib/failure/failure.ts';
import { attach, attachWith } from '../lib/full.ts';
import { interceptor } from '../lib/interceptor.ts';
import type { Policy } from '../lib/policy/options.ts';
import { axiosErrorOf, rejectionOf } from './support/attached.ts';
import { OneAtATime } from './support/limiter.ts';
import { ManualClock } from './support/manual-clock.ts';

/** How an adapter was called: with which config, and which keys that had then. */
interface Sent {
  readonly config: InternalAxiosRequestConfig;
  readonly keys: readonly PropertyKey[];
}

function unavailable(): { adapter: AxiosAdapter; sent: Sent[] } {
  const sent: Sent[] = [];
  const adapter: AxiosAdapter = async (config) => {
    sent.push({ config, keys: Reflect.ownKeys(config) });
    const response = { status: 503, statusText: '', headers: {}, data: '', config };
    throw new AxiosError('Request failed with status code 503', 'ERR_BAD_RESPONSE', config, {}, response);
  };
  return { adapter, sent };
}

/** An instance whose every send is answered 503, with a policy of so many retries attached. */
function attached(maxRetries: number, defaults: object = {}): { client: AxiosInstance; sent: Sent[] } {
  const { adapter, sent } = unavailable();
  const client = axios.create({ adapter, ...defaults });
  attach(client, { retry: { maxRetries, backoff: () => 0, budget: false } });
  return { client, sent };
}

describe("a call's own policy", () => {
  it('is laid over the attached one', async () => {
    const { client, sent } = attached(1);
    await axiosErrorOf(client.get('/x', { holdfast: { retry: { maxRetries: 2 } } }));
    expect(sent).toHaveLength(3);
    await axiosErrorOf(client.get('/x'));
    expect(sent).toHaveLength(5);
  });

  it('false lets the call through: one send, no report, no count', async () => {
    const { adapter, sent } = unavailable();
    const client = axios.create({ adapter });
    const attachment = attach(client, { retry: { backoff: () => 0 } });
    const error = await axiosErrorOf(client.get('/x', { holdfast: false }));
    expect(sent).toHaveLength(1);
    expect(reportOf(error)).toBeUndefined();
    expect(failureOf(error)).toMatchObject({ endedBecause: 'disabled', status: 503 });
    expect(attachment.stats()).toMatchObject({ calls: 0, sends: 0 });
  });

  it('may stand in the defaults of axios.create, and a call overrides it', async () => {
    const { client, sent } = attached(1, { holdfast: { retry: { maxRetries: 3 } } });
    await axiosErrorOf(client.get('/x'));
    expect(sent).toHaveLength(4);
    await axiosErrorOf(client.get('/x', { holdfast: { retry: { maxRetries: 0 } } }));
    expect(sent).toHaveLength(5);
    await axiosErrorOf(client.get('/x', { holdfast: false }));
    expect(sent).toHaveLength(6);
    await axiosErrorOf(client.get('/x', { holdfast: undefined }));
    expect(sent).toHaveLength(10);
  });

  it('in the defaults as false, a call turns it on again', async () => {
    const { client, sent } = attached(1, { holdfast: false });
    await axiosErrorOf(client.get('/x'));
    expect(sent).toHaveLength(1);
    await axiosErrorOf(client.get('/x', { holdfast: {} }));
    expect(sent).toHaveLength(3);
  });

  it('is merged with the defaults by axios option by option', async () => {
    const { client, sent } = attached(1, { holdfast: { retry: { maxRetries: 2 }, statuses: { 503: 'fail' } } });
    await axiosErrorOf(client.get('/x'));
    expect(sent).toHaveLength(1);
    await axiosErrorOf(client.get('/x', { holdfast: { statuses: { 503: 'retry' } } }));
    expect(sent).toHaveLength(4);
  });

  it("keeps functions and class instances as they are, though axios clones a config's plain objects", async () => {
    const limit = new OneAtATime();
    const { client } = attached(1);
    const seen: unknown[] = [];
    const beforeSend: Policy['beforeSend'] = ({ send }) => void seen.push(send);
    await axiosErrorOf(client.get('/x', { holdfast: { limit, beforeSend } }));
    expect(limit.given).toBe(2);
    expect(seen).toEqual([1, 2]);
  });

  it('is read when the adapter runs, so an interceptor may set it, before or after ours', async () => {
    const { adapter, sent } = unavailable();
    const client = axios.create({ adapter });
    client.interceptors.request.use((config) => {
      if (config.url === '/runs-after-ours') config.holdfast = false;
      return config;
    });
    attach(client, { retry: { maxRetries: 2, backoff: () => 0 } });
    client.interceptors.request.use((config) => {
      if (config.url === '/runs-before-ours') config.holdfast = { retry: { maxRetries: 1 } };
      return config;
    });
    const count = async (url: string) => {
      sent.length = 0;
      await axiosErrorOf(client.get(url));
      return sent.length;
    };
    expect(await count('/')).toBe(3);
    expect(await count('/runs-after-ours')).toBe(1);
    expect(await count('/runs-before-ours')).toBe(2);
  });

  it.each([
    ['with a wrong value', { retry: { maxRetries: -1 } }],
    ['with an unknown option', { retries: 3 }],
    ['null', null],
    ['true', true],
    ['a number', 3],
    ['a list', []],
  ])('%s rejects with an InvalidPolicyError and sends nothing', async (_, holdfast) => {
    const { adapter, sent } = unavailable();
    const client = axios.create({ adapter });
    const attachment = attach(client, { retry: { backoff: () => 0 } });
    const call = client.get('/x', { holdfast: holdfast as never });
    expect(await rejectionOf(call)).toBeInstanceOf(InvalidPolicyError);
    expect(sent).toHaveLength(0);
    expect(attachment.stats()).toMatchObject({ calls: 0, sends: 0, inFlight: 0 });
    await axiosErrorOf(client.get('/x'));
    expect(sent).toHaveLength(4);
  });

  it('names the problems of a wrong policy at the call', async () => {
    const { client } = attached(1);
    const holdfast = { deadlineMs: 0, retry: { maxRetries: 0.5 } };
    const error = await rejectionOf(client.get('/x', { holdfast }));
    expect(error).toMatchObject({
      code: 'ERR_POLICY_INVALID',
      problems: expect.arrayContaining([
        expect.objectContaining({ path: 'deadlineMs', value: 0 }),
        expect.objectContaining({ path: 'retry.maxRetries', value: 0.5 }),
      ]),
    });
  });
});

describe(interceptor.name, () => {
  it('sends and hands out configs with the very keys that bare axios puts on them, and keeps no state there', async () => {
    const keysOf = async (client: AxiosInstance) =>
      Reflect.ownKeys((await axiosErrorOf(client.post('/x', {}))).config ?? {});
    const bare = unavailable();
    const before = await keysOf(axios.create({ adapter: bare.adapter }));
    const { client, sent } = attached(2);
    client.defaults.holdfast = { retry: { unsafe: 'always' } };
    const after = await keysOf(client);
    expect(after.filter((key) => key !== 'holdfast').sort()).toEqual([...before].sort());
    expect(sent).toHaveLength(3);
    for (const { keys } of sent) expect(keys.filter((key) => key !== 'holdfast').sort()).toEqual([...before].sort());
  });

  it('gives every call its own count, also where several share one config object', async () => {
    const { client, sent } = attached(2);
    const shared = Object.freeze({ method: 'get', url: '/x', headers: Object.freeze({ 'X-Mine': '1' }) });
    const errors = await Promise.all([1, 2, 3].map(() => axiosErrorOf(client.request(shared))));
    expect(sent).toHaveLength(9);
    expect(errors.map((error) => failureOf(error)?.sends)).toEqual([3, 3, 3]);
    expect(new Set(errors.map((error) => reportOf(error)?.id)).size).toBe(3);
  });

  it('gives every call its own count, also where an interceptor hands the same config to all of them', async () => {
    const { client, sent } = attached(2);
    let cached: InternalAxiosRequestConfig | undefined;
    client.interceptors.request.use((config) => {
      cached ??= config;
      return cached;
    });
    await axiosErrorOf(client.get('/x'));
    await axiosErrorOf(client.get('/x'));
    expect(sent).toHaveLength(6);
  });

  it('survives an interceptor that spreads the config, whichever side of ours it runs on', async () => {
    const { adapter, sent } = unavailable();
    const client = axios.create({ adapter });
    client.interceptors.request.use((config) => ({ ...config }));
    attach(client, { retry: { maxRetries: 2, backoff: () => 0 } });
    client.interceptors.request.use((config) => ({ ...config }));
    const error = await axiosErrorOf(client.get('/x'));
    expect(sent).toHaveLength(3);
    expect(error.config?.adapter).toBe(adapter);
  });

  it('gives each call its own list of adapters, and that back to its caller', async () => {
    const { adapter, sent } = unavailable();
    const other = unavailable();
    const client = axios.create();
    attach(client, { retry: false });
    for (const list of [
      [adapter],
      [adapter, other.adapter],
      [other.adapter, adapter],
      [other.adapter, other.adapter],
      [adapter, other.adapter],
      [adapter],
    ]) {
      const before = [sent.length, other.sent.length];
      const error = await axiosErrorOf(client.get('/x', { adapter: list }));
      expect(error.config?.adapter).toEqual(list);
      const isOther = list[0] === other.adapter;
      expect([sent.length, other.sent.length]).toEqual(
        before.map((count, n) => count + (isOther === (n === 1) ? 1 : 0)),
      );
    }
    await axiosErrorOf(client.get('/x', { adapter }));
    await axiosErrorOf(client.get('/x', { adapter: other.adapter }));
    expect([sent.length, other.sent.length]).toEqual([5, 3]);
  });

  it('works on a config that an interceptor has frozen', async () => {
    const { client, sent } = attached(1);
    client.interceptors.request.use((config) => Object.freeze({ ...config }));
    await axiosErrorOf(client.get('/x'));
    expect(sent).toHaveLength(2);
  });

  it('works on a config without a prototype, and on one whose headers an interceptor took away', async () => {
    const { client, sent } = attached(1);
    client.interceptors.request.use((config) => {
      const bare = Object.assign(Object.create(null), config);
      delete bare.headers;
      return bare;
    });
    await axiosErrorOf(client.get('/x'));
    expect(sent).toHaveLength(2);
  });

  it('lets an interceptor wrap the adapter that it finds: it is then around the whole call', async () => {
    const { adapter, sent } = unavailable();
    const client = axios.create({ adapter });
    let calls = 0;
    client.interceptors.request.use((config) => {
      const inner = axios.getAdapter(config.adapter, config);
      config.adapter = (each) => {
        calls += 1;
        return inner(each);
      };
      return config;
    });
    attach(client, { retry: { maxRetries: 2, backoff: () => 0 } });
    await axiosErrorOf(client.get('/x'));
    expect(calls).toBe(1);
    expect(sent).toHaveLength(3);
  });

  describe('starts one loop and not a loop in a loop for a config that comes back', () => {
    it('from a call that was aborted before it was sent', async () => {
      const { client, sent } = attached(3);
      const { config } = await axiosErrorOf(client.get('/x', { signal: AbortSignal.abort() }));
      expect(sent).toHaveLength(0);
      await axiosErrorOf(client.request({ ...config, signal: new AbortController().signal }));
      expect(sent).toHaveLength(4);
    });

    it('from a call that an interceptor after ours refused', async () => {
      const { adapter, sent } = unavailable();
      const client = axios.create({ adapter });
      let refused = false;
      client.interceptors.request.use((config) => {
        if (refused) return config;
        refused = true;
        throw new AxiosError('not now', 'ERR_NOT_NOW', config);
      });
      attach(client, { retry: { maxRetries: 3, backoff: () => 0 } });
      const error = await axiosErrorOf(client.get('/x'));
      expect(error.code).toBe('ERR_NOT_NOW');
      await axiosErrorOf(client.request({ ...error.config }));
      expect(sent).toHaveLength(4);
    });

    it('and is requested through another attached instance', async () => {
      const { client } = attached(3);
      const other = attached(1);
      const { config } = await axiosErrorOf(client.get('/x', { signal: AbortSignal.abort() }));
      const again = await axiosErrorOf(other.client.request({ ...config, signal: new AbortController().signal }));
      expect(failureOf(again)?.sends).toBe(2);
    });
  });

  it('hands an error of an interceptor on as it is, and sends nothing', async () => {
    for (const when of ['before', 'after']) {
      const { adapter, sent } = unavailable();
      const client = axios.create({ adapter });
      const thrown = new Error('from an interceptor');
      const refuse = () => {
        throw thrown;
      };
      if (when === 'before') client.interceptors.request.use(refuse);
      const attachment = attach(client);
      if (when === 'after') client.interceptors.request.use(refuse);
      expect(await rejectionOf(client.get('/x'))).toBe(thrown);
      expect(failureOf(thrown)).toBeUndefined();
      expect(sent).toHaveLength(0);
      expect(attachment.stats()).toMatchObject({ calls: 0, inFlight: 0 });
    }
  });

  it('waits on the clock it was given, and on no other', async () => {
    const { adapter, sent } = unavailable();
    const client = axios.create({ adapter });
    const clock = new ManualClock();
    attachWith({ clock, random: () => 1 }, client, {});
    const error = await clock.run(axiosErrorOf(client.get('/x')));
    expect(sent).toHaveLength(4);
    expect(failureOf(error)?.waitedMs).toBe(500 + 1_000 + 2_000);
  });
});
