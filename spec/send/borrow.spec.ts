import { AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';
import { borrow, giveBack } from '../../lib/send/borrow.ts';

const configOf = (config: object = {}): InternalAxiosRequestConfig => ({ headers: new AxiosHeaders(), ...config });
const adapter = async () => Promise.reject();
const beforeRedirect = () => {};
const env = { FormData: class {} as never };

describe(borrow.name, () => {
  it('gives the send headers of its own, of the same class and with the same content', () => {
    const headers = new AxiosHeaders({ Accept: 'text/plain' });
    const config = configOf({ headers });
    borrow(config);
    expect(config.headers).not.toBe(headers);
    expect(config.headers).toBeInstanceOf(AxiosHeaders);
    expect({ ...config.headers }).toEqual({ Accept: 'text/plain' });
    config.headers.set('X-Sent', '1');
    expect(headers.has('X-Sent')).toBe(false);
  });
});

describe(giveBack.name, () => {
  it('leaves no trace of a send that changed nothing', () => {
    const config = configOf({ adapter, beforeRedirect, env });
    const before = { ...config };
    giveBack(config, borrow(config));
    expect(config).toEqual(before);
    for (const [name, value] of Object.entries(before)) expect(config).toHaveProperty([name], value);
    expect(config.headers).toBe(before.headers);
  });

  it('puts back what the send changed', () => {
    const config = configOf({ adapter, beforeRedirect, env });
    const { headers } = config;
    const borrowed = borrow(config);
    Object.assign(config, { adapter: undefined, beforeRedirect: () => {}, env: {} });
    giveBack(config, borrowed);
    expect(config.headers).toBe(headers);
    expect(config.adapter).toBe(adapter);
    expect(config.beforeRedirect).toBe(beforeRedirect);
    expect(config.env).toBe(env);
  });

  it('takes away what was not there before', () => {
    const config = configOf();
    const borrowed = borrow(config);
    Object.assign(config, { beforeRedirect, env });
    giveBack(config, borrowed);
    expect(Object.keys(config)).toEqual(['headers']);
  });

  it('leaves an adapter that a mock has put where there was none', () => {
    const config = configOf();
    const borrowed = borrow(config);
    config.adapter = adapter;
    giveBack(config, borrowed);
    expect(config.adapter).toBe(adapter);
  });

  it('leaves the headers of another call that was given the same config, and has put its own back', () => {
    const config = configOf();
    const borrowed = borrow(config);
    const others = new AxiosHeaders();
    config.headers = others;
    giveBack(config, borrowed);
    expect(config.headers).toBe(others);
  });
});
