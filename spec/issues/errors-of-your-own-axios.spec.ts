import { createRequire } from 'node:module';
import axios from 'axios';
import old from 'axios-1.7';
import { attach, type Policy } from 'axios-holdfast';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { attachWith } from '../../lib/full.ts';
import { ADAPTERS, rejectionOf, status } from '../support/attached.ts';
import { type Answer, loopback } from '../support/loopback.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** Another copy's typings do not fit this one's. */
const sameTypings = (copy: unknown): typeof axios => copy as typeof axios;

const COPIES = [
  ['the ESM build', axios],
  ['the CommonJS build', sameTypings(createRequire(import.meta.url)('axios'))],
  ['axios 1.7', sameTypings(old)],
] as const;
const CASES = COPIES.flatMap(([name, copy]) => ADAPTERS.map((adapter) => [name, adapter, copy] as const));

const SILENT: Answer = () => {};

/** An application that has got its axios from somewhere, and asks `instanceof` of that one's classes. */
describe.each(CASES)('whoever uses %s, with the %s adapter, knows by instanceof', (_name, adapter, copy) => {
  async function client(answer: Answer, policy: Policy, own: object = {}) {
    const server = await loopback(answer);
    onTestFinished(() => server.close());
    const instance = copy.create({ baseURL: server.url, adapter, ...own });
    const clock = new ManualClock();
    return { server, instance, clock, holdfast: attachWith({ clock, random: () => 1 }, instance, policy) };
  }

  it('an abort in the very turn of the first call', async () => {
    const { instance, server } = await client(status(200), { limit: { maxConcurrent: 1 } });
    const controller = new AbortController();
    const rejected = rejectionOf(instance.get('/', { signal: controller.signal }));
    controller.abort();
    const error = await rejected;
    expect(error).toBeInstanceOf(copy.CanceledError);
    expect(error).toBeInstanceOf(copy.AxiosError);
    expect(server.seen.length).toBeLessThanOrEqual(1);
  });

  it('an abort during a backoff', async () => {
    const { instance, holdfast } = await client(status(503), {});
    const controller = new AbortController();
    const rejected = rejectionOf(instance.get('/', { signal: controller.signal }));
    await vi.waitFor(() => expect(holdfast.stats().waiting).toBe(1));
    controller.abort();
    expect(await rejected).toBeInstanceOf(copy.CanceledError);
  });

  it('an abort in the queue', async () => {
    const { instance, holdfast } = await client(SILENT, { limit: { maxConcurrent: 1 } });
    const first = new AbortController();
    const sending = rejectionOf(instance.get('/', { signal: first.signal }));
    const controller = new AbortController();
    const queued = rejectionOf(instance.get('/', { signal: controller.signal }));
    await vi.waitFor(() => expect(holdfast.stats()).toMatchObject({ inFlight: 1, queued: 1 }));
    controller.abort();
    expect(await queued).toBeInstanceOf(copy.CanceledError);
    first.abort();
    await sending;
  });

  it('an abort that an adapter function does not see', async () => {
    const { instance, holdfast } = await client(SILENT, {}, { adapter: () => new Promise(() => {}) });
    const controller = new AbortController();
    const rejected = rejectionOf(instance.get('/', { signal: controller.signal }));
    await vi.waitFor(() => expect(holdfast.stats().inFlight).toBe(1));
    controller.abort();
    expect(await rejected).toBeInstanceOf(copy.CanceledError);
  });

  it('a deadline', async () => {
    const { instance, server, clock } = await client(SILENT, { deadlineMs: 1_000 });
    const rejected = rejectionOf(instance.get('/'));
    await vi.waitFor(() => expect(server.seen).toHaveLength(1));
    await clock.advance(1_000);
    const error = await rejected;
    expect(error).toBeInstanceOf(copy.AxiosError);
    expect(error).toMatchObject({ code: 'ETIMEDOUT', name: 'AxiosError' });
  });

  it('a deadline that a judge of its own sees', async () => {
    const seen: unknown[] = [];
    const { instance, server, clock } = await client(SILENT, {
      deadlineMs: 1_000,
      classify: ({ outcome }) => void seen.push(outcome.error),
    });
    const rejected = rejectionOf(instance.get('/'));
    await vi.waitFor(() => expect(server.seen).toHaveLength(1));
    await clock.advance(1_000);
    await rejected;
    expect(seen).toEqual([expect.any(copy.AxiosError)]);
  });
});

it('calls that begin together reach the server in the order in which they were made', async () => {
  const server = await loopback(status(200));
  onTestFinished(() => server.close());
  const instance = old.create({ baseURL: server.url });
  attach(instance, { limit: { maxConcurrent: 1 } });
  await Promise.all(Array.from({ length: 5 }, (_, n) => instance.get(`/${n}`)));
  expect(server.seen.map(({ url }) => url)).toEqual(['/0', '/1', '/2', '/3', '/4']);
});

it('an instance that cannot make another works all the same', async () => {
  const server = await loopback(status(200));
  onTestFinished(() => server.close());
  const instance = new old.Axios({ baseURL: server.url, adapter: sameTypings(old).getAdapter('http') } as never);
  attach(instance);
  expect((await instance.get('/')).status).toBe(200);
});
