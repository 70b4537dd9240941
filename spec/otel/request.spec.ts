import { AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { describeRequest } from '../../lib/otel/request.ts';

const described = (config: Partial<InternalAxiosRequestConfig>) =>
  describeRequest({ headers: new AxiosHeaders(), ...config });

describe(describeRequest.name, () => {
  it('is a GET where the config names no method', () => {
    expect(described({ url: 'https://api.example.com/a' })).toMatchObject({
      name: 'GET',
      server: { 'http.request.method': 'GET', 'server.address': 'api.example.com', 'server.port': 443 },
    });
  });

  it('keeps its URL out of what metrics tell apart', () => {
    const { all, server } = described({ url: 'https://api.example.com/a', method: 'post' });
    expect(Object.keys(server)).toEqual(['http.request.method', 'server.address', 'server.port']);
    expect(all).toEqual({ ...server, 'url.full': 'https://api.example.com/a' });
  });

  it('names no port where the scheme of the page has none, as in an app of Capacitor', () => {
    vi.stubGlobal('location', { origin: 'capacitor://localhost' });
    onTestFinished(() => void vi.unstubAllGlobals());
    expect(described({ url: '/a' }).all).toEqual({
      'http.request.method': 'GET',
      'server.address': 'localhost',
      'url.full': 'capacitor://localhost/a',
    });
  });
});
