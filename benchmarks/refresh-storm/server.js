/** An API and its token endpoint for one storm after the other, of any number of clients: each storm has an id in its path. */
import { once } from 'node:events';
import http from 'node:http';

export const REFRESH_MS = 100;

export async function startServer() {
  const storms = new Map();

  const tasks = {
    begin(_storm, id) {
      storms.set(id, { requests: 0, refreshes: 0, valid: undefined });
      return [200, {}];
    },
    end(storm, id) {
      storms.delete(id);
      return [200, { requests: storm.requests, refreshes: storm.refreshes }];
    },
    async token(storm) {
      storm.refreshes += 1;
      await new Promise((resolve) => setTimeout(resolve, REFRESH_MS));
      storm.valid = `fresh-${storm.refreshes}`;
      return [200, { token: storm.valid }];
    },
    api(storm, _id, { authorization }) {
      storm.requests += 1;
      return authorization === `Bearer ${storm.valid}` ? [200, { ok: true }] : [401, {}];
    },
  };

  const server = http.createServer(async (request, response) => {
    const [, id, task] = request.url.split('/');
    request.resume();
    const [status, body] = await tasks[task](storms.get(id), id, request.headers);
    const headers = status === 401 ? { 'www-authenticate': 'Bearer error="invalid_token"' } : {};
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
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
