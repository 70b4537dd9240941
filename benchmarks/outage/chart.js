/** Draws what the candidates measured: one panel for each, all with the same axes. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { STEP_MS } from './step.js';

const chartFile = new URL('../../docs/outage.svg', import.meta.url);

const WIDTH = 840;
const COLUMNS = 2;
const TOP = 76;
const PANEL = { width: 362, height: 120, left: 46, gapX: 20, gapY: 46 };
/** In seconds and in requests per second. */
const TICKS = { x: 10, y: 200 };

/** The steps of the measurement are too short for the eye. */
const SECOND = 1_000 / STEP_MS;

/** Unless a candidate has left nothing: then the picture stays as it is. */
export async function drawChart(folder, names) {
  const files = names.map((name) => join(folder, `${name}.json`));
  if (!files.every((file) => existsSync(file))) return;
  const all = await Promise.all(files.map(async (file) => JSON.parse(await readFile(file, 'utf8'))));
  await writeFile(chartFile, chart(names.map((name, index) => ({ name, ...all[index] }))));
}

function chart(measured) {
  const [{ beginsAt, endsAt, server, overload, load }] = measured;
  const sends = measured.flatMap((each) => perSecond(each.sends));
  const axes = {
    from: -beginsAt,
    to: endsAt - beginsAt + measured[0].seconds.after,
    most: Math.ceil(Math.max(...sends) / 100) * 100,
  };
  const capacity = (workers) => (workers * 1_000) / server.serviceMs;
  const steps = { well: capacity(server.workers), overloaded: capacity(overload.workers), until: endsAt - beginsAt };
  const height = TOP + Math.ceil(measured.length / COLUMNS) * (PANEL.height + PANEL.gapY) + 18;
  const title = `${steps.until} s of overload, and what is left of it: ${load.perSecond} calls per second, capacity ${steps.well}`;
  const panels = measured.map((each, index) => panel(each, index, axes, steps));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">
<title>${title}</title>
<desc>${measured.map((each) => `${each.name}: ${verdict(each)}`).join('; ')}.</desc>
<style>${STYLE}</style>
<rect class="page" width="100%" height="100%" rx="8"/>
<text x="16" y="28" class="title">${title}</text>
${legend()}
${panels.join('\n')}
<text x="${WIDTH / 2}" y="${height - 10}" class="middle">seconds since the overload began</text>
<text class="middle" transform="translate(14 ${TOP + (height - TOP) / 2 - 30}) rotate(-90)">requests per second</text>
</svg>
`;
}

const STYLE = `
text{font:12px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#57606a}
.title{font-size:15px;font-weight:600;fill:#1f2328}.name{font-weight:600;fill:#1f2328}
.middle{text-anchor:middle}.right{text-anchor:end}
.page{fill:#fff}.grid{stroke:#d0d7de;fill:none}.overload{fill:#afb8c1;fill-opacity:.3}
.answers{fill:#1a7f37;fill-opacity:.55;stroke:#1a7f37;stroke-width:1.2}
.sends{fill:none;stroke:#bc4c00;stroke-width:1.6}.capacity{fill:none;stroke:#57606a;stroke-dasharray:4 3}
@media (prefers-color-scheme:dark){text{fill:#9198a1}.title,.name{fill:#f0f6fc}.page{fill:#0d1117}.grid{stroke:#30363d}
.overload{fill:#6e7681}.answers{fill:#3fb950;stroke:#3fb950}.sends{stroke:#f0883e}.capacity{stroke:#9198a1}}
`;

function legend() {
  const y = 52;
  return [
    `<rect x="16" y="${y - 9}" width="18" height="10" class="answers"/><text x="40" y="${y}">answers in time</text>`,
    `<path d="M150 ${y - 4}h22" class="sends"/><text x="178" y="${y}">what the server is sent</text>`,
    `<path d="M330 ${y - 4}h22" class="capacity"/><text x="358" y="${y}">what it can do</text>`,
    `<rect x="464" y="${y - 11}" width="18" height="14" class="overload"/><text x="488" y="${y}">overload: workers stand still</text>`,
  ].join('\n');
}

function panel(each, index, { from, to, most }, steps) {
  const { width, height, left, gapX, gapY } = PANEL;
  const x0 = left + (index % COLUMNS) * (width + gapX + 20);
  const y0 = TOP + 14 + Math.floor(index / COLUMNS) * (height + gapY);
  const x = (second) => round(x0 + ((second - from) / (to - from)) * width);
  const y = (rate) => round(y0 + height - (rate / most) * height);
  const along = (rates) => rates.map((rate, second) => `${x(from + second + 0.5)} ${y(rate)}`).join('L');
  const xTicks = every(TICKS.x, 0, to);
  const yTicks = every(TICKS.y, 0, most);
  const answers = perSecond(each.answered);
  const lastX = x(from + answers.length - 0.5);
  return `<g>
<text x="${x0}" y="${y0 - 6}" class="name">${each.name}</text>
<text x="${x0 + width}" y="${y0 - 6}" class="right">${verdict(each)}</text>
<rect x="${x(0)}" y="${y0}" width="${round(x(steps.until) - x(0))}" height="${height}" class="overload"/>
<path d="${yTicks.map((rate) => `M${x0} ${y(rate)}h${width}`).join('')}" class="grid"/>
<path d="M${x(from + 0.5)} ${y(0)}L${along(answers)}L${lastX} ${y(0)}Z" class="answers"/>
<path d="M${x(from)} ${y(steps.well)}H${x(0)}V${y(steps.overloaded)}H${x(steps.until)}V${y(steps.well)}H${x(to)}" class="capacity"/>
<path d="M${along(perSecond(each.sends))}" class="sends"/>
${yTicks.map((rate) => `<text x="${x0 - 5}" y="${y(rate) + 4}" class="right">${rate}</text>`).join('')}
${xTicks.map((second) => `<text x="${x(second)}" y="${y0 + height + 15}" class="middle">${second}</text>`).join('')}
</g>`;
}

function verdict({ recoverySeconds, seconds, sendsPerCall }) {
  const recovery = recoverySeconds < seconds.after ? `recovers after ${recoverySeconds} s` : 'does not recover';
  return `${recovery}, ${sendsPerCall.toFixed(2)} sends per call`;
}

/** Whole seconds only: the measurement ends a little after the last one. */
function perSecond(steps) {
  const seconds = Math.floor(steps.length / SECOND);
  return Array.from({ length: seconds }, (_, second) =>
    steps.slice(second * SECOND, (second + 1) * SECOND).reduce((sum, number) => sum + number, 0),
  );
}

const every = (step, from, to) => Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => from + i * step);

const round = (number) => Math.round(number * 10) / 10;
