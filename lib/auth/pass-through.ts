import type { AxiosInstance } from 'axios';

/** Where the config stands among the arguments of each method. */
const CONFIG_AT: ReadonlyMap<string | symbol, number> = new Map(
  Object.entries({
    getUri: 0,
    get: 1,
    delete: 1,
    head: 1,
    options: 1,
    post: 2,
    put: 2,
    patch: 2,
    query: 2,
    postForm: 2,
    putForm: 2,
    patchForm: 2,
  }),
);

/** The same instance, with every request let through: the caller's interceptors run, the loop does not. */
export function passThrough(instance: AxiosInstance): AxiosInstance {
  const request = (urlOrConfig: unknown, config?: object) =>
    typeof urlOrConfig === 'string'
      ? instance.request({ ...config, url: urlOrConfig, holdfast: false })
      : instance.request({ ...(urlOrConfig as object), holdfast: false });
  return new Proxy(instance, {
    apply: (_target, _this, args) => request(args[0], args[1]),
    get(target, name) {
      if (name === 'request') return request;
      const at = CONFIG_AT.get(name);
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      // A subclass of Axios may have private members, which a proxy has not.
      if (at === undefined) return Object.hasOwn(target, name) ? method : method.bind(target);
      return (...args: unknown[]) => {
        args[at] = { ...(args[at] as object | undefined), holdfast: false };
        return method.apply(target, args);
      };
    },
  });
}
