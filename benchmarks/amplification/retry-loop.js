/**
 * A retry loop around bare axios, in which a rule says whether there is a retry. A rule, in ms:
 *
 *   called(now)       a call begins
 *   failed(now)       a send has failed
 *   grants(now)       whether there may be a retry; what it costs has been paid then
 *   succeeded(retry)  a call has succeeded, after so many retries
 */
import { amplificationOf } from './amplification-of.js';

/** A candidate's `setup`. `newRule()` makes the rule of one origin. */
export function ruleOf(newRule) {
  return amplificationOf((client, { clock, random, retries, oneBudget = false }) => {
    const rules = new Map();
    const ruleFor = (key) => {
      if (!rules.has(key)) rules.set(key, newRule());
      return rules.get(key);
    };

    return async (url) => {
      const rule = ruleFor(oneBudget ? 'both' : new URL(url).origin);
      rule.called(clock.now());
      for (let retry = 0; ; retry++) {
        try {
          const response = await client.get(url);
          rule.succeeded(retry);
          return response;
        } catch (error) {
          rule.failed(clock.now());
          if (retry === retries || !rule.grants(clock.now())) throw error;
        }
        await new Promise((resolve) => clock.after((1 + random()) * 250 * 2 ** retry, resolve));
      }
    };
  });
}
