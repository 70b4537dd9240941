/** In a browser: open the page in two tabs. Both use one token, and one refresh. It runs until it is stopped, by Ctrl-C. */
import { createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { startPartnerApi } from './partner-api/server.ts';

const PAGE = `<!doctype html><html lang="en"><title>axios-holdfast in a browser</title>
<button id="calls">Make 20 calls</button><pre id="log"></pre><script type="module" src="/page.js"></script></html>`;

const api = await startPartnerApi({ requireAuth: true });
const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL('browser/page.ts', import.meta.url))],
  bundle: true,
  format: 'esm',
  platform: 'browser',
  write: false,
});
const [script] = outputFiles;

// The page and the API have one origin here, as behind a gateway.
const server = createServer((request, response) => {
  const { url = '/', method, headers } = request;
  if (url === '/') return response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(PAGE);
  if (url === '/page.js') return response.writeHead(200, { 'content-type': 'text/javascript' }).end(script?.text);
  if (!/^\/(v1|oauth)\//.test(url)) return response.writeHead(404).end();
  const onward = forward(`${api.url}${url}`, { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  return request.pipe(onward);
});
server.listen(0, '127.0.0.1', () => {
  console.log(`Open http://127.0.0.1:${(server.address() as AddressInfo).port}/ in two tabs; Ctrl-C ends it.`);
});
