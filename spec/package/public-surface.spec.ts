import * as holdfast from 'axios-holdfast';
import { describe, expect, it } from 'vitest';

describe('the public names', () => {
  it('are these: a change here is a change for everybody who uses the package', () => {
    const kinds = Object.entries(holdfast).map(([name, value]) => `${name}: ${typeof value}`);
    expect(kinds.sort()).toMatchInlineSnapshot(`
      [
        "CircuitOpenError: function",
        "EVENT_NAMES: object",
        "InvalidPolicyError: function",
        "LimitError: function",
        "TokenRefreshError: function",
        "attach: function",
        "circuitBreaker: function",
        "constantBackoff: function",
        "credentials: function",
        "exponentialBackoff: function",
        "failureOf: function",
        "isHoldfastError: function",
        "linearBackoff: function",
        "localLimiter: function",
        "mergePolicies: function",
        "mostSpecific: function",
        "parseChallenges: function",
        "parseRetryAfter: function",
        "partnerApi: function",
        "preparePolicy: function",
        "readApiError: function",
        "reportOf: function",
      ]
    `);
  });

  it('have no default among them', () => {
    expect(holdfast).not.toHaveProperty('default');
  });

  it('of an attachment are these', async () => {
    const { default: axios } = await import('axios');
    const attachment = holdfast.attach(axios.create());
    expect(Object.keys(attachment).sort()).toMatchInlineSnapshot(`
      [
        "close",
        "detach",
        "interceptorId",
        "on",
        "pending",
        "policy",
        "stats",
        "update",
      ]
    `);
    expect(Object.isFrozen(attachment)).toBe(true);
    expect(Object.keys(attachment.policy).sort()).toMatchInlineSnapshot(`
      [
        "auth",
        "beforeSend",
        "breaker",
        "classify",
        "correlation",
        "deadlineMs",
        "idempotency",
        "ids",
        "limit",
        "log",
        "on",
        "poll",
        "retry",
        "statuses",
      ]
    `);
    expect(Object.keys(attachment.stats()).sort()).toMatchInlineSnapshot(`
      [
        "budget",
        "calls",
        "inFlight",
        "open",
        "pausedKeys",
        "polls",
        "queued",
        "refreshes",
        "replays",
        "retries",
        "sends",
        "waiting",
      ]
    `);
    await attachment.close();
  });
});
