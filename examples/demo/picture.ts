/** Makes a picture of the demo's output: `NO_COLOR=1 npm start --silent | tsx examples/demo/picture.ts > docs/demo.svg`. */
import { text } from 'node:stream/consumers';

const LINE = 18;
const MARGIN = 16;
const ORDINARY = /GET \/|✓ send 1: 200/;
/** Runs of lines that differ only in their numbers are cut to so many. */
const ALIKE = 2;

const lines = shorten((await text(process.stdin)).trim().split('\n'));
const width = Math.max(...lines.map((line) => line.length)) * 7.9 + 2 * MARGIN;
const height = lines.length * LINE + 2 * MARGIN;
const rows = lines.map(
  (line, i) => `<text x="${MARGIN}" y="${MARGIN + 13 + i * LINE}"${look(line)}>${escaped(line)}</text>`,
);

// A background of its own, so that it reads the same on a light page and on a dark one.
console.log(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${Math.ceil(width)} ${height}" role="img">
<title>The demo: a burst, a refresh, an order, an outage, drawn as a timeline</title>
<style>text{font:13px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#c9d1d9;white-space:pre}
.title{font-weight:bold;fill:#fff}.call{fill:#79c0ff}.good{fill:#56d364}.bad{fill:#ff7b72}.wait{fill:#e3b341}</style>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
${rows.join('\n')}
</svg>`);

function shorten(all: readonly string[]): string[] {
  // Calls that leave and calls that are answered take turns; nobody wants to read that.
  const kinds = all.map((line) => (ORDINARY.test(line) ? 'ordinary' : line.replace(/\d+/g, '0').replace(/ +/g, ' ')));
  const runs = kinds.map((kind, i) =>
    kinds
      .slice(0, i)
      .reverse()
      .findIndex((other) => other !== kind),
  );
  return all.flatMap((line, i) => {
    const run = runs[i] ?? 0;
    if (run < ALIKE) return [line];
    return kinds[i + 1] === kinds[i] ? [] : [`            ⋮ ${run + 1 - ALIKE} more`];
  });
}

function look(line: string): string {
  if (/^\S/.test(line)) return ' class="title"';
  const [, name] =
    [/✓|▓/, /✗|→|^ {12}/, /░/, /#\d+ +[A-Z]/]
      .map((sign, i) => [sign, ['good', 'bad', 'wait', 'call'][i]] as const)
      .find(([sign]) => sign.test(line)) ?? [];
  return name === undefined || line.includes('⋮') ? '' : ` class="${name}"`;
}

function escaped(line: string): string {
  return line.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
