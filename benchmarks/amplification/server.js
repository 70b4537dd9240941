/** An API that is out: it answers 503 to everything, and counts. Each client has an id in its path. */
import { once } from 'node:events';
import http from 'node:http';

export async function startServer() {
  const sends = new Map();

  const server = http.createServer((request, response) => {
    const [, id, task] = request.url.split('/');
    request.resume();
    if (task === 'sends') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(sends.get(id) ?? 0));
      sends.delete(id);
    } else {
      sends.set(id, (sends.get(id) ?? 0) + 1);
      response.writeHead(503).end();
    }
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { shared: { url: `http://127.0.0.1:${server.address().port}` }, close };
}
