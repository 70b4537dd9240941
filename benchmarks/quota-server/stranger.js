/** Somebody else who draws on the same quota at random times: a Poisson process of so many requests per ms. */
export function stranger({ rate, request }) {
  let timer;
  let nextAt = performance.now();

  /** A timer that fires late takes all that has become due, so that lateness does not lower the rate. */
  const next = () => {
    for (const now = performance.now(); nextAt <= now; nextAt += pauseMs()) request(now);
    timer = setTimeout(next, nextAt - performance.now());
  };
  const pauseMs = () => -Math.log(1 - Math.random()) / rate();
  nextAt += pauseMs();
  next();
  return { stop: () => clearTimeout(timer) };
}
