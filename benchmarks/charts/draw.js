/** Charts as SVG that can be read on a light and on a dark page. */
import { writeFile } from 'node:fs/promises';
import * as echarts from 'echarts';

const docs = new URL('../../docs/', import.meta.url);

/** One colour for each client, in all charts. */
export const COLOURS = {
  holdfast: '#2563eb',
  'holdfast, adaptive': '#0d9488',
  'axios-retry': '#d97706',
  'retry-axios': '#7c3aed',
  Bottleneck: '#dc2626',
  other: '#64748b',
};
const TEXT = '#475569';
const TITLE = '#0f172a';
const LINE = '#cbd5e1';
const PAGE = '#ffffff';

/** Where the page is dark, the chart is. */
const DARK = `<style>@media (prefers-color-scheme: dark) {
  [fill="${TEXT}"] { fill: #cbd5e1 } [fill="${TITLE}"] { fill: #f8fafc } [fill="${PAGE}"] { fill: #1b1b1f }
  [stroke="${LINE}"] { stroke: #475569 }
}</style>`;

/**
 * Draws a chart and writes it to docs/NAME.svg.
 *
 * @param description what a reader who cannot see it should know
 */
export async function draw(name, { title, description, height = 320, ...option }) {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 800, height });
  chart.setOption({
    animation: false,
    backgroundColor: PAGE,
    textStyle: { fontFamily: 'system-ui, sans-serif', color: TEXT },
    title: { text: title, left: 16, top: 12, textStyle: { fontSize: 15, fontWeight: 600, color: TITLE } },
    ...option,
  });
  // Nobody's mouse is over a picture.
  const svg = chart.renderToSVGString().replace(/<style ><!\[CDATA\[.*?<\/style>/s, '');
  chart.dispose();
  const opened = svg.replace(
    /<svg ([^>]*)>/,
    (_, attributes) => `<svg ${attributes} role="img"><title>${title}</title><desc>${description}</desc>${DARK}`,
  );
  await writeFile(new URL(`${name}.svg`, docs), `${opened}\n`);
}

const axis = {
  axisLabel: { color: TEXT, fontSize: 12 },
  axisLine: { lineStyle: { color: LINE } },
  axisTick: { lineStyle: { color: LINE } },
  splitLine: { lineStyle: { color: LINE } },
  nameTextStyle: { color: TEXT, fontSize: 12 },
};

/** Bars that lie, one for each name, with their value at the end. */
export function bars(values, { unit, log = false, label = String, from }) {
  const names = Object.keys(values);
  return {
    height: 90 + names.length * 34,
    grid: { left: 24 + 6.6 * Math.max(...names.map(({ length }) => length)), right: 70, top: 52, bottom: 44 },
    xAxis: { type: log ? 'log' : 'value', name: unit, nameLocation: 'middle', nameGap: 28, min: from, ...axis },
    yAxis: { type: 'category', data: names, inverse: true, ...axis, splitLine: { show: false } },
    series: [
      {
        type: 'bar',
        barWidth: 18,
        data: names.map((name) => ({ value: values[name], itemStyle: { color: colourOf(name) } })),
        label: { show: true, position: 'right', color: TEXT, formatter: ({ value }) => label(value) },
      },
    ],
  };
}

/** Lines over time, in one panel below the other, all on the same axis of time. */
export function lines(panels, { x }) {
  const names = Object.keys(panels);
  const panel = { top: 92, height: 150, gap: 56 };
  const at = (i) => ({ gridIndex: i, xAxisIndex: i, yAxisIndex: i });
  const series = names.flatMap((name, i) =>
    Object.entries(panels[name]).map(([client, data]) => ({
      name: client,
      type: 'line',
      symbol: 'none',
      lineStyle: { width: 2.5 },
      color: colourOf(client),
      data,
      ...at(i),
    })),
  );
  const clients = [...new Set(series.map(({ name }) => name))];
  return {
    height: panel.top + names.length * (panel.height + panel.gap),
    legend: {
      top: 42,
      left: 16,
      itemWidth: 18,
      itemGap: 24,
      icon: 'rect',
      itemHeight: 4,
      // What draws without a screen takes every letter for a narrow one.
      textStyle: { color: TEXT, width: 130, overflow: 'none' },
      data: clients,
    },
    grid: names.map((_, i) => ({
      left: 72,
      right: 24,
      top: panel.top + i * (panel.height + panel.gap),
      height: panel.height,
    })),
    xAxis: names.map((_, i) => ({
      type: 'value',
      name: i === names.length - 1 ? x : '',
      nameLocation: 'middle',
      nameGap: 26,
      min: 0,
      max: (range) => Math.ceil(range.max),
      ...axis,
      ...at(i),
    })),
    yAxis: names.map((name, i) => ({
      type: 'value',
      name,
      nameLocation: 'middle',
      nameGap: 46,
      nameRotate: 90,
      min: 0,
      ...axis,
      ...at(i),
    })),
    series,
  };
}

function colourOf(name) {
  const longest = Object.keys(COLOURS)
    .filter((known) => name.startsWith(known))
    .sort((a, b) => b.length - a.length);
  return COLOURS[longest[0] ?? 'other'];
}
