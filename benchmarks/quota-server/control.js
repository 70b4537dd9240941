/** What a client of the benchmarks asks of the quota server, beside its API. */

export function control(url) {
  const ask = async (path, init) => {
    const response = await fetch(`${url}${path}`, init);
    const body = await response.json();
    if (!response.ok) throw new Error(`${path}: ${body.error}`);
    return body;
  };
  const post = (path, body = {}) => ask(path, { method: 'POST', body: JSON.stringify(body) });
  return {
    stats: () => ask('/stats'),
    reset: (options) => post('/reset', options),
    quota: (quota) => post('/quota', quota),
  };
}
