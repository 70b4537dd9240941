/**
 * The command: a server that can be overloaded, on a free port of 127.0.0.1. Prints one line of JSON with its `url`, and ends
 * when its stdin is closed.
 *
 *   GET  /        the work
 *   POST /reset   { workers, serviceMs, line }: begins anew, forgetting everybody
 *   POST /workers a number: so many work from now on
 *   GET  /stats   { sends: [...] }: how many requests came in each half second since the reset
 */
import { once } from 'node:events';
import http from 'node:http';
import { Desk } from './desk.js';
import { STEP_MS } from './step.js';

let desk;
let resetAt = 0;
let sends = [];

const control = {
  '/reset'(options) {
    desk = new Desk(options);
    resetAt = performance.now();
    sends = [];
  },
  '/workers'(workers) {
    desk.workers = workers;
  },
  '/stats': () => ({ sends }),
};

const server = http.createServer(async (request, response) => {
  if (request.url === '/') {
    const step = Math.floor((performance.now() - resetAt) / STEP_MS);
    while (sends.length <= step) sends.push(0);
    sends[step] += 1;
    request.resume();
    // Whoever has given up meanwhile is not there to read it.
    desk.ask((status) => response.writeHead(status).end());
    return;
  }
  const text = (await request.setEncoding('utf8').toArray()).join('');
  const answer = control[request.url](text === '' ? undefined : JSON.parse(text));
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? {}));
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.stdin.resume().once('close', () => process.exit());
console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }));
