/** What a Redis has done by now, by its own count. */

/** → `scripts`, how many it has run; `busyUs`, for how long it has been busy with everything, the network included; and the time of this. */
export async function workOf(redis) {
  const info = await redis.info('all');
  const number = (pattern) => Number(pattern.exec(info)?.[1] ?? 0);
  return {
    atMs: performance.now(),
    scripts: number(/^cmdstat_evalsha:calls=(\d+)/m) + number(/^cmdstat_eval:calls=(\d+)/m),
    busyUs: (number(/^used_cpu_sys:([\d.]+)/m) + number(/^used_cpu_user:([\d.]+)/m)) * 1e6,
  };
}
