import type { AxiosInstance } from 'axios';

/** At which place of its arguments each method has the config. */
const CONFIG_AT: ReadonlyMap<string | symbol, number> = new Map(
  [
    ['getUri'],
    ['get', 'delete', 'head', 'options'],
    ['post', 'put', 'patch', 'query', 'postForm', 'putForm', 'patchForm'],
  ].flatMap((methods, at) => methods.map((method) => [method, at] as const)),
);

/** The same instance, but its requests go past the loop: the caller's interceptors run, ours does not. */
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
