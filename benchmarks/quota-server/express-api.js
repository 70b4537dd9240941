/** The API as many Node services have it: express behind express-rate-limit. One quota for all clients. */
import express from 'express';
import { MemoryStore, rateLimit } from 'express-rate-limit';
import { within } from './options.js';

const key = 'everybody';

export function expressApi(options, counts) {
  let terms = options;
  let store;
  let app;

  function build() {
    store?.shutdown();
    store = new MemoryStore();
    app = express();
    app.disable('x-powered-by');
    app.use((_request, response, next) => {
      counts.arrived(response.locals.client, performance.now());
      setTimeout(next, within(options.travelMs));
    });
    app.use(
      rateLimit({
        windowMs: terms.perMs,
        limit: () => terms.requests,
        // Retry-After goes with them: express-rate-limit sends all or nothing.
        standardHeaders: options.headers === 'none' ? false : 'draft-8',
        legacyHeaders: false,
        keyGenerator: () => key,
        store,
        validate: false,
        handler(_request, response) {
          const seconds = response.getHeader('retry-after');
          const now = performance.now();
          counts.refused(
            response.locals.client,
            now,
            seconds === undefined ? undefined : now + Number(seconds) * 1_000,
          );
          setTimeout(() => response.status(429).send('Too many requests.'), within(options.travelMs));
        },
      }),
    );
    app.use((_request, response) => {
      counts.admitted(response.locals.client, performance.now());
      setTimeout(() => response.json({ ok: true }), within(options.latencyMs) + within(options.travelMs));
    });
  }

  build();
  return {
    handle(request, response, client) {
      response.locals = { client };
      app(request, response);
    },
    /** One request of the stranger: whether it was admitted. */
    take: async () => (await store.increment(key)).totalHits <= terms.requests,
    change(next) {
      const isNewWindow = next.perMs !== undefined && next.perMs !== terms.perMs;
      terms = { ...terms, ...next };
      // The length of a window is fixed for the life of its middleware; so it begins afresh.
      if (isNewWindow) build();
    },
    close: () => store.shutdown(),
  };
}
