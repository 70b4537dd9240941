/**
 * The command: a server that answers everything with the same small JSON body, on a free port of 127.0.0.1. Prints one line of JSON with its
 * `url`, and ends when its stdin is closed.
 */
import { once } from 'node:events';
import http from 'node:http';

const body = '{"id":"1","name":"Ada Lovelace","country":"GB","active":true}';

const server = http.createServer((request, response) => {
  request.resume();
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.stdin.resume().once('close', () => process.exit());
console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }));
