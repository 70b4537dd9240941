import type { Classifier, Policy } from 'axios-holdfast';
import { failureOf } from 'axios-holdfast';
import { describe, expect, it, vi } from 'vitest';
import { ADAPTERS, attached, rejectionOf, status } from '../support/attached.ts';
import type { Answer } from '../support/loopback.ts';

/** A body without an end; calls back when the client wants no more of it. */
const endless =
  (code: number, over: () => void): Answer =>
  (_request, response) => {
    response.writeHead(code);
    const dripping = setInterval(() => response.write('x'), 10);
    response.on('close', () => {
      clearInterval(dripping);
      over();
    });
  };

const throwing = () => {
  throw new Error('a bug of ours');
};

/** Code of the caller's own that fails once an answer is there, and so is what the call rejects with. */
const FAILING: readonly (readonly [what: string, code: number, policy: Policy])[] = [
  ['a judge that throws', 200, { classify: throwing }],
  ['a judge whose promise rejects', 200, { classify: async () => throwing() }],
  ['a judge that gives no verdict', 503, { classify: (() => true) as unknown as Classifier }],
  ['isFailure that throws', 200, { breaker: { isFailure: throwing } }],
  ['a backoff that gives no wait', 503, { retry: { backoff: () => Number.NaN } }],
];

describe.each(ADAPTERS)('an answer that the caller never sees, over the %s adapter,', (adapter) => {
  it.each(FAILING)('keeps no socket: %s', async (_what, code, policy) => {
    const over = vi.fn();
    const { client } = await attached(endless(code, over), policy, { adapter, responseType: 'stream' });
    await rejectionOf(client.get('/'));
    await vi.waitFor(() => expect(over).toHaveBeenCalled());
  });
});

it('is told by its own words and as ours, in the failure and in its summary', async () => {
  const { client } = await attached(status(200), { classify: (() => true) as unknown as Classifier });
  const failure = failureOf(await rejectionOf(client.get('/')));
  expect(failure).toMatchObject({ kind: 'local', endedBecause: 'not-retryable', sends: 1 });
  expect(failure?.summary).toContain('local, not retryable: "classify gave true; it must give a verdict');
  const bug = await attached(status(200), { classify: throwing });
  expect(failureOf(await rejectionOf(bug.client.get('/')))?.summary).toContain('not retryable: "a bug of ours"');
});

it('shows nothing that may be a secret', async () => {
  const { client } = await attached(status(200), {
    classify: () => {
      throw new Error('no row for Bearer abc123def456ghi');
    },
  });
  const call = client.get('/', { headers: { Authorization: 'Bearer abc123def456ghi' } });
  expect(failureOf(await rejectionOf(call))?.summary).not.toContain('abc123');
});
