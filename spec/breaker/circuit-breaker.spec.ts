import axios from 'axios';
import { attach, type BreakerOptions, CircuitOpenError, circuitBreaker, mergePolicies } from 'axios-holdfast';
import { describe, expect, it, onTestFinished } from 'vitest';
import { rejectionOf, status } from '../support/attached.ts';
import { type Answer, loopback } from '../support/loopback.ts';

async function server(answer: Answer) {
  const made = await loopback(answer);
  onTestFinished(() => made.close());
  return made;
}

const ill = { minimumThroughput: 2, failureRatio: 1 };

describe(circuitBreaker.name, () => {
  it('is shared: what one instance has seen fail is left alone by the other', async () => {
    const { url, seen } = await server(status(503));
    const breaker = circuitBreaker(ill);
    const [one, two] = [axios.create({ baseURL: url }), axios.create({ baseURL: url })];
    const stats = [one, two].map((client) => attach(client, { breaker, retry: false }).stats);
    for (let i = 0; i < 2; i++) await rejectionOf(one.get('/'));
    expect(await rejectionOf(two.get('/'))).toBeInstanceOf(CircuitOpenError);
    expect(seen).toHaveLength(2);
    expect(breaker.open()).toEqual([url]);
    expect(stats.map((stat) => stat().open)).toEqual([[url], [url]]);
  });

  it('can be brought by a call, and a call may lay a key of its own over it', async () => {
    const { url } = await server(status(503));
    const client = axios.create({ baseURL: url });
    attach(client, { retry: false });
    const breaker = circuitBreaker({ ...ill, key: () => 'all' });
    const holdfast = { breaker };
    for (let i = 0; i < 2; i++) await rejectionOf(client.get('/', { holdfast }));
    expect(await rejectionOf(client.get('/', { holdfast }))).toBeInstanceOf(CircuitOpenError);
    expect(await rejectionOf(client.get('/'))).not.toBeInstanceOf(CircuitOpenError);
    const attachedToAll = axios.create({ baseURL: url });
    attach(attachedToAll, { breaker, retry: false });
    expect(await rejectionOf(attachedToAll.get('/'))).toBeInstanceOf(CircuitOpenError);
    const elsewhere = attachedToAll.get('/', { holdfast: { breaker: { key: () => 'mine' } } });
    expect(await rejectionOf(elsewhere)).not.toBeInstanceOf(CircuitOpenError);
    const numbers = attachedToAll.get('/', { holdfast: { breaker: { openMs: 1 } } });
    expect(await rejectionOf(numbers)).toMatchObject({ code: 'ERR_POLICY_INVALID' });
  });

  it('can be merged: a judge of a later policy is laid over it, and numbers take its place', async () => {
    const { url } = await server(status(503));
    const client = axios.create({ baseURL: url });
    const breaker = circuitBreaker(ill);
    attach(client, mergePolicies({ breaker, retry: false }, { breaker: { isFailure: () => false } }));
    for (let i = 0; i < 3; i++) await rejectionOf(client.get('/'));
    expect(breaker.open()).toEqual([]);
    expect(mergePolicies({ breaker }, { breaker: { openMs: 5 } })).toEqual({ breaker: { openMs: 5 } });
  });

  it('keeps its circuits under a key that a later policy lays over it', async () => {
    const { url } = await server(status(503));
    const client = axios.create({ baseURL: url });
    const breaker = circuitBreaker(ill);
    attach(client, mergePolicies({ breaker, retry: false }, { breaker: { key: () => 'all' } }));
    for (let i = 0; i < 2; i++) await rejectionOf(client.get('/'));
    expect(breaker.open()).toEqual(['all']);
  });

  it.each([{ failureRatio: 1 }, { minimumThroughput: 9 }, { windowMs: 100 }, { openMs: 5 }])(
    'has its place taken by numbers of a later policy, be it only %o',
    (breaker) => {
      expect(mergePolicies({ breaker: circuitBreaker(ill) }, { breaker })).toEqual({ breaker });
    },
  );

  it.each<[BreakerOptions, string | undefined]>([
    [{ failureRatio: 0 }, 'breaker.failureRatio must be a number above 0 and at most 1, got 0'],
    [{ failureRatio: 1 }, undefined],
    [{ failureRatio: 1.1 }, 'breaker.failureRatio must be a number above 0 and at most 1, got 1.1'],
    [{ minimumThroughput: 0 }, 'breaker.minimumThroughput must be an integer of at least 1, got 0'],
    [{ minimumThroughput: 1 }, undefined],
    [{ windowMs: 99 }, 'breaker.windowMs must be a number of at least 100 and at most 2³¹−1, got 99'],
    [{ windowMs: 100, openMs: 2 ** 31 - 1 }, undefined],
    [{ openMs: 2 ** 31 }, 'breaker.openMs must be a number above 0 and at most 2³¹−1, got 2147483648'],
    [{ openMs: 0.5 }, undefined],
  ])('has these bounds: %o', (options, problem) => {
    if (problem === undefined) circuitBreaker(options);
    else expect(() => circuitBreaker(options)).toThrow(problem);
  });

  it.each<[unknown, string]>([
    [{ openMs: 0 }, 'breaker.openMs must be a number above 0'],
    [{ resetTimeout: 1 }, 'breaker.resetTimeout is not an option; here it is breaker.openMs'],
    [false, 'breaker must be a plain object, got false'],
    [null, 'breaker must be a plain object, got null'],
    [circuitBreaker(), 'breaker must be a plain object, got an instance of Circuits'],
  ])('is checked when it is made: %j', (options, message) => {
    expect(() => circuitBreaker(options as BreakerOptions)).toThrow(message);
  });
});
