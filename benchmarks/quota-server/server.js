/**
 * An API with a quota, on a free port of 127.0.0.1. Every path is the API but for these, which cost nothing:
 *
 *   GET  /stats   the options, and what was counted since the last reset (counts.js)
 *   POST /reset   starts afresh, with other options if the body has any (options.js)
 *   POST /quota   { requests?, perMs?, burst? }: changes the quota while it runs
 *
 * A client names itself with `X-Client`.
 */
import { once } from 'node:events';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { Counts } from './counts.js';
import { expressApi } from './express-api.js';
import { readOptions } from './options.js';
import { plainApi } from './plain-api.js';
import { stranger } from './stranger.js';

export async function serve(given) {
  let options = readOptions(given);
  let counts;
  let api;
  let somebody;

  function begin(changed = {}) {
    options = readOptions(changed, options);
    api?.close();
    somebody?.stop();
    counts = new Counts(options, performance.now());
    api = options.kind === 'express' ? expressApi(options, counts) : plainApi(options, counts);
    somebody = options.stranger > 0 ? stranger({ rate, request: take(api, counts) }) : undefined;
  }

  const rate = () => (options.stranger * options.requests) / options.perMs;

  const tasks = {
    'GET /stats': () => ({ options, ...counts.toJSON(performance.now()) }),
    'POST /reset': (body) => {
      begin(body);
      return options;
    },
    'POST /quota': ({ requests = options.requests, perMs = options.perMs, burst = options.burst }) => {
      options = readOptions({ requests, perMs, burst }, options);
      api.change({ requests, perMs, burst });
      return options;
    },
  };

  begin();
  const server = http.createServer((request, response) => {
    const task = tasks[`${request.method} ${request.url}`];
    if (task === undefined) api.handle(request, response, request.headers['x-client'] ?? 'unnamed');
    else control(task, request, response);
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close() {
      api.close();
      somebody?.stop();
      server.close();
      server.closeAllConnections();
    },
  };
}

function take(api, counts) {
  return async (now) => counts.stranger(await api.take(now));
}

async function control(task, request, response) {
  let status = 200;
  let body;
  try {
    body = task(JSON.parse((await text(request)) || '{}'));
  } catch (error) {
    status = 400;
    body = { error: error.message };
  }
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
