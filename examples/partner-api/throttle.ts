/** Quotas as the gateway in front of the API applies them: one fixed window per key. */

export interface Quota {
  requests: number;
  perMs: number;
}

export interface ThrottleOptions {
  /** For all requests. */
  quota?: Quota;
  /** For writes, which count against `quota` as well. */
  writeQuota?: Quota;
  now: () => number;
}

export interface Throttle {
  /** Counts one request and says how long it should have waited: 0 is leave to pass. Refused requests count, too. */
  charge(key: string, method: string): number;
  reset(): void;
}

export function createThrottle({ quota, writeQuota, now }: ThrottleOptions): Throttle {
  const windows = new Map<string, { endsAt: number; left: number }>();

  const waitMs = (key: string, { requests, perMs }: Quota) => {
    const at = now();
    let window = windows.get(key);
    if (!window || window.endsAt <= at) {
      window = { endsAt: at + perMs, left: requests };
      windows.set(key, window);
    }
    window.left -= 1;
    return window.left < 0 ? window.endsAt - at : 0;
  };

  return {
    charge(key, method) {
      const isWrite = method !== 'GET' && method !== 'HEAD';
      return Math.max(
        quota ? waitMs(`all ${key}`, quota) : 0,
        writeQuota && isWrite ? waitMs(`writes ${key}`, writeQuota) : 0,
      );
    },
    reset() {
      windows.clear();
    },
  };
}
