import * as namespace from 'axios';
import axios, { AxiosHeaders } from 'axios';
import { attach, type Policy } from 'axios-holdfast';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { inTurn, status } from '../support/attached.ts';
import { type Answer, loopback } from '../support/loopback.ts';

const FAST: Policy = { retry: { backoff: () => 0, budget: false } };

async function serving(answer: Answer) {
  const server = await loopback(answer);
  onTestFinished(() => server.close());
  return { server, client: axios.create({ baseURL: server.url }) };
}

/** The package, loaded once more. */
async function secondCopy(): Promise<typeof import('axios-holdfast')> {
  vi.resetModules();
  return import('axios-holdfast');
}

describe('a second attach', () => {
  it('is refused, and told where the first was made and what can be done', () => {
    const client = axios.create();
    const attachHere = () => attach(client);
    attachHere();
    expect(attachHere).toThrow(
      /already \(at .*attaching-again\.spec\.ts:\d+\); detach\(\) the other attachment first, or take its place: attach\(instance, policy, \{ replace: true \}\)$/,
    );
  });

  it.each([
    ['at main (/srv/app (copy)/main.js:3:5)', '/srv/app (copy)/main.js:3'],
    ['at Object.<anonymous> (/srv/main.js:3:5)', '/srv/main.js:3'],
    ['at C:\\Program Files (x86)\\app\\main.js:3:5', 'C:\\Program Files (x86)\\app\\main.js:3'],
    ['at async file:///srv/main.js:3:5', 'file:///srv/main.js:3'],
  ])('is told so in any folder: %s', (line, place) => {
    const { prepareStackTrace } = Error;
    onTestFinished(() => void Object.assign(Error, { prepareStackTrace }));
    Error.prepareStackTrace = () => `Error\n    ${line}`;
    const client = axios.create();
    attach(client);
    expect(() => attach(client)).toThrow(`(at ${place})`);
  });

  it.each(['Error', 'Error\n    somewhere', 'Error\n    at main', 'Error\n    at main (native) and more'])(
    'is not told of a place where the engine says none: %j',
    (stack) => {
      const { prepareStackTrace } = Error;
      onTestFinished(() => void Object.assign(Error, { prepareStackTrace }));
      Error.prepareStackTrace = () => stack;
      const client = axios.create();
      attach(client);
      expect(() => attach(client)).toThrow('attached to this axios instance already; detach()');
    },
  );

  it('is told so too where the engine knows nothing of places, and where it makes no text of them', () => {
    const { captureStackTrace, prepareStackTrace } = Error;
    onTestFinished(() => void Object.assign(Error, { captureStackTrace, prepareStackTrace }));
    const [first, second] = [axios.create(), axios.create()];
    attach(second);
    Object.assign(Error, { captureStackTrace: undefined });
    attach(first);
    expect(() => attach(first)).toThrow('attached to this axios instance already; detach()');
    Object.assign(Error, { captureStackTrace, prepareStackTrace: () => [] });
    expect(() => attach(second)).toThrow('attached to this axios instance already; detach()');
  });
});

describe('{ replace: true }', () => {
  it('takes the place of the attachment that is there', async () => {
    const { server, client } = await serving(status(503));
    const first = attach(client, FAST);
    const second = attach(client, { ...FAST, retry: { ...FAST.retry, maxRetries: 1 } }, { replace: true });
    await client.get('/').catch(() => {});
    expect(server.seen).toHaveLength(2);
    expect([first.stats().calls, second.stats().calls]).toEqual([0, 1]);
  });

  it('attaches where there is none', async () => {
    const { server, client } = await serving(inTurn(status(503), status(200)));
    attach(client, FAST, { replace: true });
    await client.get('/');
    expect(server.seen).toHaveLength(2);
  });

  it('leaves the calls under way to the old one, which is not closed', async () => {
    const answers: (() => void)[] = [];
    const { server, client } = await serving((request, response, n) => {
      if (n === 0) answers.push(() => status(503)(request, response, n));
      else status(200)(request, response, n);
    });
    const first = attach(client, { ...FAST, limit: { maxConcurrent: 1 } });
    const calls = [client.get('/under-way'), client.get('/queued')];
    await vi.waitFor(() => expect(answers).toHaveLength(1));
    attach(client, { retry: false }, { replace: true });
    answers[0]?.();
    await Promise.all(calls);
    expect(server.seen).toHaveLength(3);
    expect(first.stats()).toMatchObject({ calls: 2, retries: 1 });
  });

  it('is not undone when the old one is detached or closed afterwards', async () => {
    const { server, client } = await serving(inTurn(status(503), status(200)));
    const first = attach(client, FAST);
    attach(client, FAST, { replace: true });
    first.detach();
    await first.close();
    await client.get('/');
    expect(server.seen).toHaveLength(2);
    expect(() => attach(client)).toThrow('already');
  });

  it('leaves the old one in its place where the new policy is wrong', async () => {
    const { server, client } = await serving(inTurn(status(503), status(200)));
    attach(client, FAST);
    expect(() => attach(client, { retry: { maxRetries: -1 } }, { replace: true })).toThrow('retry.maxRetries');
    await client.get('/');
    expect(server.seen).toHaveLength(2);
  });

  it('knows an attachment that a second copy of the package has made', async () => {
    const { server, client } = await serving(status(503));
    const copy = await secondCopy();
    expect(copy.attach).not.toBe(attach);
    const old = copy.attach(client, FAST);
    expect(() => attach(client)).toThrow(/already \(at .*attaching-again\.spec\.ts:\d+\)/);
    attach(client, { retry: { ...FAST.retry, maxRetries: 1 } }, { replace: true });
    old.detach();
    await client.get('/').catch(() => {});
    expect(server.seen).toHaveLength(2);
  });

  it('mounts twice as React does in StrictMode', async () => {
    const { server, client } = await serving(inTurn(status(503), status(200)));
    const mount = () => attach(client, FAST, { replace: true });
    const first = mount();
    first.detach();
    mount();
    await client.get('/');
    expect(server.seen).toHaveLength(2);
  });

  it('false, and undefined, are no opinion', () => {
    const client = axios.create();
    attach(client, {}, { replace: undefined });
    expect(() => attach(client, {}, { replace: false })).toThrow('already');
  });
});

it('an old attachment whose interceptor was cleared away takes nothing from the new one', async () => {
  const { server, client } = await serving(inTurn(status(503), status(200)));
  const first = attach(client, FAST);
  client.interceptors.request.clear();
  attach(client, FAST);
  first.detach();
  expect(() => attach(client)).toThrow('already');
  await client.get('/');
  expect(server.seen).toHaveLength(2);
});

describe('an option that attach does not have', () => {
  it.each<[unknown, string]>([
    [{ replce: true }, 'attach: options.replce is not an option; did you mean replace?'],
    [{ retry: {} }, 'attach: options.retry is not an option; the policy is the second argument'],
    [{ replace: 1 }, 'attach: options.replace must be true or false, got 1'],
    [null, 'attach: options must be a plain object, got null'],
    [true, 'attach: options must be a plain object, got true'],
  ])('%o', (options, message) => {
    const client = axios.create();
    expect(() => attach(client, {}, options as object)).toThrow(new TypeError(message));
    attach(client);
  });
});

describe('what was given instead of an instance', () => {
  const client = axios.create();
  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a string', 'https://api.example.com'],
    ['a promise: await it?', Promise.resolve(client)],
    ["the module and not its default export: write `import axios from 'axios'`", namespace],
    ["the module and not its default export: write `import axios from 'axios'`", { __esModule: true, default: axios }],
    ['the function create: call it?', axios.create],
    ['a function: call it?', () => client],
    ['the class Axios: make an instance of it', axios.Axios],
    ['an instance of AxiosHeaders', new AxiosHeaders()],
    ['a config: axios.create(config) makes an instance of it', { baseURL: 'https://api.example.com' }],
    ['a config: axios.create(config) makes an instance of it', client.defaults],
    ['an attachment, which has an instance already', attach(axios.create())],
    ['a policy: the instance comes first, as in attach(instance, policy)', { retry: { maxRetries: 5 } }],
    ['a policy: the instance comes first, as in attach(instance, policy)', { limit: false }],
    ['an array', [client]],
    ['an object', {}],
  ])('%s', (what, value) => {
    expect(() => attach(value as never)).toThrow(
      new TypeError(`attach needs an axios instance: axios itself, or what axios.create() gives; got ${what}`),
    );
  });

  it('never throws anything else, whatever a proxy does', () => {
    const odd = new Proxy(
      {},
      {
        get() {
          throw new Error('hands off');
        },
      },
    );
    expect(() => attach(odd as never)).toThrow('attach needs an axios instance');
  });

  it('a frozen instance is told what to do', () => {
    expect(() => attach(Object.freeze(axios.create()))).toThrow(
      new TypeError('attach cannot write on this axios instance: it is frozen; attach first, then freeze it'),
    );
  });

  it('an instance that is frozen afterwards goes on working, and can be detached from', async () => {
    const { server, client } = await serving(inTurn(status(503), status(200), status(503)));
    const holdfast = attach(client, FAST);
    Object.freeze(client);
    await client.get('/');
    expect(server.seen).toHaveLength(2);
    holdfast.detach();
    await client.get('/').catch(() => {});
    expect(server.seen).toHaveLength(3);
  });
});
