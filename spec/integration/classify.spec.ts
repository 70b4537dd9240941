import { type Classifier, failureOf, reportOf, type Verdict } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { ADAPTERS, attached, axiosErrorOf, inTurn, rejectionOf, status } from '../support/attached.ts';
import { hangUp } from '../support/faults.ts';

/** A service that says 200 and means something else. */
const busy = status(200, {}, { status: 'throttled' });
const done = status(200, {}, { status: 'done' });

const readsBody: Classifier = ({ data }) =>
  data.status === 'throttled' ? { kind: 'throttled', reason: 'busy' } : undefined;

const always =
  (verdict: Verdict): Classifier =>
  () =>
    verdict;

describe.each(ADAPTERS)('a judge of the policy over the %s adapter', (adapter) => {
  it('reads a 200 that carries a throttling error', async () => {
    const { server, client } = await attached(inTurn(busy, busy, done), { classify: readsBody }, { adapter });

    const response = await client.post('/jobs', {});

    expect(response.data).toEqual({ status: 'done' });
    expect(server.seen).toHaveLength(3);
    expect(reportOf(response)?.sends.map(({ verdict }) => verdict)).toEqual(['throttled', 'throttled', 'success']);
  });

  it('has the call resolve with the last 200 when retries are exhausted, as axios had resolved it', async () => {
    const { server, client } = await attached(busy, { classify: readsBody }, { adapter });

    const response = await client.get('/jobs/1');

    expect(response.status).toBe(200);
    expect(response.data).toEqual({ status: 'throttled' });
    expect(failureOf(response)).toMatchObject({ kind: 'throttled', endedBecause: 'retries-exhausted', sends: 4 });
    expect(server.seen).toHaveLength(4);
  });

  it('is shown a broken connection as well', async () => {
    const codes: unknown[] = [];
    const classify: Classifier = ({ outcome }) => {
      codes.push(outcome.response === undefined && outcome.error !== undefined);
      return { kind: 'permanent' };
    };
    const { server, client } = await attached(hangUp, { classify }, { adapter });
    await axiosErrorOf(client.get('/'));
    expect(codes).toEqual([true]);
    expect(server.seen).toHaveLength(1);
  });

  it.each(['json', 'text', 'arraybuffer', 'stream'] as const)(
    "is given the error body, read, as `api`: responseType '%s'",
    async (responseType) => {
      const body = { error: { code: 'serverBusy', message: 'Come back later.' } };
      const codes: (string | undefined)[] = [];
      const classify: Classifier = ({ api, status }) => {
        codes.push(api?.code);
        return status === 400 && api?.code === 'serverBusy' ? { kind: 'throttled', retryAfterMs: 0 } : undefined;
      };
      const answers = inTurn(status(400, {}, body), status(200));
      const { server, client } = await attached(answers, { classify }, { adapter, responseType });

      const response = await client.post('/v1/orders', {});

      expect(response.status).toBe(200);
      expect(codes).toEqual(['serverBusy', undefined]);
      expect(server.seen).toHaveLength(2);
    },
  );
});

describe('a judge of the policy', () => {
  it('is given one frozen argument: the outcome, the call, the error body', async () => {
    const shown: Parameters<Classifier>[0][] = [];
    const classify: Classifier = (argument) => {
      shown.push(argument);
      return undefined;
    };
    const { client } = await attached(inTurn(status(503), status(404)), { classify });

    await axiosErrorOf(client.get('/v1/things?token=s3cret'));

    expect(shown).toHaveLength(2);
    for (const argument of shown) {
      expect(Object.isFrozen(argument)).toBe(true);
      expect(Object.isFrozen(argument.call)).toBe(true);
      expect(argument).toMatchObject({ outcome: { error: expect.any(Error) }, call: expect.any(Object) });
      expect(argument).toHaveProperty('api');
    }
    expect(shown.map(({ call }) => [call.method, call.sends, call.retries])).toEqual([
      ['GET', 1, 0],
      ['GET', 2, 1],
    ]);
    expect(shown[0]?.call.id).toBe(shown[1]?.call.id);
    expect(shown[0]?.call.url).not.toContain('s3cret');
  });

  it('in a chain has its say only where those before it had none', async () => {
    const asked: string[] = [];
    const judge =
      (name: string, verdict?: Verdict): Classifier =>
      () => {
        asked.push(name);
        return verdict;
      };
    const chain = [judge('first'), judge('second', { kind: 'permanent' }), judge('third', { kind: 'transient' })];
    const { server, client } = await attached(status(503), { classify: chain });

    const error = await axiosErrorOf(client.get('/'));

    expect(asked).toEqual(['first', 'second']);
    expect(failureOf(error)?.endedBecause).toBe('not-retryable');
    expect(server.seen).toHaveLength(1);
  });

  it('overrides the status, either way', async () => {
    const fatal = await attached(status(503), { classify: always({ kind: 'permanent' }) });
    await axiosErrorOf(fatal.client.get('/'));
    expect(fatal.server.seen).toHaveLength(1);

    const hopeful = await attached(inTurn(status(409), status(200)), {
      classify: ({ outcome }) => (outcome.error === undefined ? undefined : { kind: 'transient' }),
    });
    await hopeful.client.get('/');
    expect(hopeful.server.seen).toHaveLength(2);
  });

  it('makes a POST repeatable by saying that nothing was applied, and not otherwise', async () => {
    const transient = await attached(status(409), { classify: always({ kind: 'transient' }) });
    const error = await axiosErrorOf(transient.client.post('/', {}));
    expect(failureOf(error)?.endedBecause).toBe('unsafe-method');
    expect(transient.server.seen).toHaveLength(1);

    const unapplied = await attached(status(409), { classify: always({ kind: 'transient', unapplied: true }) });
    await axiosErrorOf(unapplied.client.post('/', {}));
    expect(unapplied.server.seen).toHaveLength(4);
  });

  it('names the wait', async () => {
    const delays: (number | undefined)[] = [];
    const { client } = await attached(status(503, { 'retry-after': '30' }), {
      classify: always({ kind: 'throttled', retryAfterMs: 3 }),
      retry: { maxRetries: 2 },
      on: { 'retry-scheduled': ({ delayMs }) => void delays.push(delayMs) },
    });
    await axiosErrorOf(client.get('/'));
    expect(delays).toEqual([3, 3]);
  });

  it('that calls an error a success ends the call with that error, explained', async () => {
    const { server, client } = await attached(status(404), { classify: always({ kind: 'success' }) });
    const error = await axiosErrorOf(client.get('/'));
    expect(error.response?.status).toBe(404);
    expect(failureOf(error)).toMatchObject({ status: 404, endedBecause: 'not-retryable', sends: 1 });
    expect(server.seen).toHaveLength(1);
  });

  it('that throws has the call reject with what it threw, and nothing more is sent', async () => {
    const thrown = new RangeError('the judge is ill');
    const { server, client, holdfast } = await attached(status(503), {
      classify: () => {
        throw thrown;
      },
    });
    expect(await rejectionOf(client.get('/'))).toBe(thrown);
    expect(server.seen).toHaveLength(1);
    expect(holdfast.stats()).toMatchObject({ calls: 1, sends: 1, inFlight: 0, waiting: 0 });
  });

  it('that gives what is no verdict has the call reject and say so', async () => {
    const classify = (() => false) as unknown as Classifier;
    const { server, client } = await attached(status(200), { classify });
    expect(await rejectionOf(client.get('/'))).toEqual(
      new TypeError(
        "classify gave false; it must give a verdict such as { kind: 'transient' }, or undefined for no opinion",
      ),
    );
    expect(server.seen).toHaveLength(1);
  });

  it('of one call is asked before the attached ones, and for that call only', async () => {
    const { server, client } = await attached(status(503), {
      classify: always({ kind: 'permanent' }),
      retry: { maxRetries: 1 },
    });
    await axiosErrorOf(client.get('/', { holdfast: { classify: always({ kind: 'transient' }) } }));
    expect(server.seen).toHaveLength(2);
    await axiosErrorOf(client.get('/', { holdfast: { classify: () => undefined } }));
    expect(server.seen).toHaveLength(3);
    await axiosErrorOf(client.get('/'));
    expect(server.seen).toHaveLength(4);
  });
});
