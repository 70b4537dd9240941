import { inspect } from 'node:util';
import type { InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';
import { CallState } from '../../lib/call/call.ts';
import { callOf, setCallOf, setCallOfSuccess } from '../../lib/call/call-of.ts';

const aCall = () => new CallState({ url: '/', method: 'get' } as InternalAxiosRequestConfig, 0, 1_000);

describe(setCallOf.name, () => {
  it('leaves a mark that nobody sees', () => {
    const error = Object.assign(new Error('x'), { code: 'E' });
    const shown = inspect(error);
    setCallOf(error, aCall());
    expect(Object.keys(error)).toEqual(['code']);
    expect(Object.getOwnPropertySymbols({ ...error })).toEqual([]);
    expect(JSON.stringify(error)).toBe('{"code":"E"}');
    expect(inspect(error)).toBe(shown);
    expect(structuredClone({ ...error })).toEqual({ code: 'E' });
  });

  it('replaces the mark of an earlier call', () => {
    const response = {};
    const [first, second] = [aCall(), aCall()];
    setCallOf(response, first);
    setCallOf(response, second);
    expect(callOf(response)?.call).toBe(second);
  });

  it.each([undefined, null, 'text', 7, Symbol('s')])('does nothing to %o', (ended) => {
    expect(() => setCallOf(ended, aCall())).not.toThrow();
    expect(callOf(ended)).toBeUndefined();
  });

  it('is seen through a proxy, as frameworks put it around what an application holds', () => {
    const error = new Error('x');
    for (const call of [aCall(), aCall()]) {
      setCallOf(error, call);
      expect(callOf(new Proxy(error, {}))?.call).toBe(call);
    }
    expect(Object.getOwnPropertySymbols(error)).toEqual([Symbol.for('axios-holdfast.call')]);
  });

  it('knows what is frozen too, which cannot be marked', () => {
    const frozen = Object.freeze({});
    const call = aCall();
    setCallOf(frozen, call);
    expect(callOf(frozen)?.call).toBe(call);
    expect(callOf({ response: frozen })?.call).toBe(call);
  });
});

describe(setCallOfSuccess.name, () => {
  it('marks a response, and the last mark counts, also that of a failure', () => {
    const response = Object.freeze({});
    const [first, second, third] = [aCall(), aCall(), aCall()];
    setCallOfSuccess(response, first);
    expect(callOf(response)).toEqual({ call: first, ending: response });
    setCallOfSuccess(response, second);
    expect(callOf(response)?.call).toBe(second);
    setCallOf(response, third);
    expect(callOf(response)?.call).toBe(third);
  });

  it.each([undefined, null, 'text', 7])('does nothing to %o', (response) => {
    expect(() => setCallOfSuccess(response, aCall())).not.toThrow();
    expect(callOf(response)).toBeUndefined();
  });
});

describe(callOf.name, () => {
  it('finds the call and what it ended with, also behind causes', () => {
    const call = aCall();
    const error = new Error('inner');
    setCallOf(error, call);
    const wrapped = new Error('outer', { cause: new Error('middle', { cause: error }) });
    expect(callOf(error)).toEqual({ call, ending: error });
    expect(callOf(wrapped)).toEqual({ call, ending: error });
  });

  it('finds the call of a response behind an error that we never saw', () => {
    const call = aCall();
    const response = {};
    setCallOf(response, call);
    const error = Object.assign(new Error('transform'), { response });
    expect(callOf(error)).toEqual({ call, ending: error });
    for (const odd of [null, 'text', 7]) expect(callOf({ response: odd })).toBeUndefined();
  });

  it('goes eight levels deep, and no further', () => {
    const call = aCall();
    const inner = {};
    setCallOf(inner, call);
    const wrap = (levels: number) => Array.from({ length: levels }).reduce<object>((cause) => ({ cause }), inner);
    expect(callOf(wrap(7))?.call).toBe(call);
    expect(callOf(wrap(8))).toBeUndefined();
  });
});
