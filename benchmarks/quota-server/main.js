/**
 * The command: a server with a quota (server.js says what it answers), on a free port of 127.0.0.1.
 *
 *   node benchmarks/quota-server/main.js --kind bucket --requests 50 --per-ms 1000 --burst 5
 *
 * What else there is stands in options.js, in kebab case; a span is written 5..30. It prints one line of JSON with its
 * `url` as soon as it listens. It ends on SIGTERM, and when whoever started it goes away: when its stdin is closed or the channel to
 * its parent is. So give it a stdin that stays open.
 */
import { parseArgs } from 'node:util';
import { defaults, readSpan } from './options.js';
import { serve } from './server.js';

const kebab = (key) => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const readers = { number: Number, string: String, object: readSpan };

try {
  const { values } = parseArgs({
    options: Object.fromEntries(Object.keys(defaults).map((key) => [kebab(key), { type: 'string' }])),
  });
  const given = Object.entries(defaults)
    .filter(([key]) => values[kebab(key)] !== undefined)
    .map(([key, value]) => [key, readers[typeof value](values[kebab(key)])]);
  const server = await serve(Object.fromEntries(given));

  const end = () => {
    server.close();
    // Answers that are still under way have nobody to go to.
    process.exit();
  };
  process.stdin.resume().once('close', end).once('error', end);
  process.once('disconnect', end).once('SIGTERM', end).once('SIGINT', end);
  console.log(JSON.stringify({ url: server.url }));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
