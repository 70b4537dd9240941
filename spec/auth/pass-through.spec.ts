import axios, { Axios, type AxiosInstance, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';
import { passThrough } from '../../lib/auth/pass-through.ts';

/** An instance that sends nothing, the same let through, and the configs of what it would have sent. */
function letThrough() {
  const sent: InternalAxiosRequestConfig[] = [];
  const instance = axios.create({
    baseURL: 'https://api.example.com',
    adapter: async (config) => {
      sent.push(config);
      return { status: 200, statusText: '', headers: {}, config, data: '', request: {} };
    },
  });
  return { instance, http: passThrough(instance), sent };
}

const CONFIG = { headers: { 'X-Mine': 'kept' }, holdfast: { auth: false } } as const;
/** All that axios has, so that a method of a later version is not forgotten. */
const METHODS = Object.getOwnPropertyNames(Axios.prototype).filter(
  (name) => !/^_|^(?:constructor|request|getUri)$/.test(name),
);
const WITHOUT_DATA = ['get', 'delete', 'head', 'options'];
const call = (http: AxiosInstance, method: string, ...args: unknown[]): unknown =>
  Reflect.apply(Reflect.get(http, method), undefined, args);

describe(passThrough.name, () => {
  it.each<[string, (http: AxiosInstance) => unknown]>([
    ['http(url, config)', (http) => http('/x', CONFIG)],
    ['http(config)', (http) => http({ ...CONFIG, url: '/x' })],
    ['http.request(url, config)', (http) => call(http, 'request', '/x', CONFIG)],
    ['http.request(config)', (http) => call(http, 'request', { ...CONFIG, url: '/x' })],
  ])('lets %s through, whatever policy it names, with the rest of its config', async (_name, send) => {
    const { http, sent } = letThrough();
    await send(http);
    expect(sent).toMatchObject([{ url: '/x', baseURL: 'https://api.example.com', holdfast: false }]);
    expect(sent[0]?.headers.get('X-Mine')).toBe('kept');
  });

  it.each(METHODS)('lets http.%s() through, with a config and without', async (method) => {
    const { http, sent } = letThrough();
    const withData = !WITHOUT_DATA.includes(method);
    const args = withData ? ['/x', { a: 1 }] : ['/x'];
    await call(http, method, ...args, CONFIG);
    await call(http, method, ...args);
    await call(http, method, '/x');
    expect(sent.map(({ url, holdfast }) => [url, holdfast])).toEqual(Array(3).fill(['/x', false]));
    expect(sent.map(({ headers }) => headers.get('X-Mine'))).toEqual(['kept', undefined, undefined]);
    expect(sent.map(({ data }) => data !== undefined)).toEqual([withData, withData, false]);
  });

  it('leaves the config that it is given as it was', async () => {
    const { http } = letThrough();
    const config = Object.freeze({ ...CONFIG });
    await http.get('/x', config);
    expect(config).toEqual(CONFIG);
  });

  it('does not change the instance itself', async () => {
    const { instance, sent } = letThrough();
    await instance.get('/x');
    expect(sent[0]).not.toHaveProperty('holdfast');
  });

  it("runs the instance's own interceptors, as they are at the time", async () => {
    const { instance, http, sent } = letThrough();
    instance.interceptors.request.use((config) => {
      config.headers.set('X-Signed', 'yes');
      return config;
    });
    await http.get('/x');
    expect(sent[0]?.headers.get('X-Signed')).toBe('yes');
  });

  it('has everything else that the instance has', () => {
    const brand = Symbol('brand');
    const { instance, http } = letThrough();
    Object.assign(instance, { [brand]: 'mine' });
    expect(http.defaults).toBe(instance.defaults);
    expect(http.create).toBe(instance.create);
    expect(Reflect.get(http, brand)).toBe('mine');
    expect(http).not.toHaveProperty('then');
    expect(http.getUri({ url: '/x', params: { a: 1 } })).toBe('https://api.example.com/x?a=1');
  });

  it('has the methods of a subclass too, private members or not', () => {
    class Api extends Axios {
      readonly #path = '/login';
      loginPath(suffix: string) {
        return this.#path + suffix;
      }
    }
    const http = passThrough(new Api({}) as unknown as AxiosInstance) as unknown as Api;
    expect(http.loginPath('?a')).toBe('/login?a');
  });
});
