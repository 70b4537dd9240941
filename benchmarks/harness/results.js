/** The outcome as Markdown, and its place in RESULTS.md: every benchmark owns one section there. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { ratios, summarize } from './statistics.js';

const preface = `# Results

Written by \`npm run bench -- NAME\`; do not edit. Compare ratios, not times: see README.md.
`;

export function renderSection(benchmark, outcome, environment, supplement) {
  return [
    `## ${benchmark.title}`,
    benchmark.about,
    ...outcome.flatMap((tested) => renderCase(benchmark, tested)),
    ...(supplement === undefined ? [] : [supplement]),
    environment.map(([label, value]) => `- ${label}: ${value}`).join('\n'),
  ].join('\n\n');
}

/** Replaces the section between the benchmark's two markers, or adds it at the end. */
export function replaceSection(file, name, section) {
  const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
  const block = `${begin}\n${section}\n${end}`;
  const text = existsSync(file) ? readFileSync(file, 'utf8') : preface;
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  const replaced =
    from < 0 || to < from
      ? `${text.trimEnd()}\n\n${block}\n`
      : text.slice(0, from) + block + text.slice(to + end.length);
  writeFileSync(file, replaced);
}

function renderCase({ metrics, compared, baseline }, { name, candidates }) {
  const baselineRounds = candidates.find((candidate) => candidate.name === baseline)?.rounds ?? [];
  const keys = Object.keys(metrics);
  const head = ['candidate', ...keys.map((key) => metrics[key].label)];
  if (baseline !== undefined) head.push(`ratio to ${baseline} (quartiles)`);

  const rows = candidates.map((candidate) => {
    if (candidate.failure !== undefined) return [candidate.name, 'failed', ...head.slice(2).map(() => '')];
    const cells = keys.map((key) => {
      const { median, low, high } = summarize(candidate.rounds.map((round) => round[key]));
      const digits = metrics[key].digits ?? 0;
      return `${format(median, digits)} (${format(low, digits)}–${format(high, digits)})`;
    });
    if (baseline !== undefined) cells.push(ratioCell(candidate, baseline, baselineRounds, compared));
    return [candidate.name, ...cells];
  });

  const failures = candidates
    .filter(({ failure }) => failure !== undefined)
    .map(({ name, failure }) => `${name} failed in ${failure}`);
  return [
    ...(name === '' ? [] : [`### ${name}`]),
    table([head, ...rows]),
    ...failures.map((text) => `\`\`\`text\n${text}\n\`\`\``),
  ];
}

function ratioCell({ name, rounds }, baseline, baselineRounds, compared) {
  if (name === baseline) return '1';
  const { median, low, high } = summarize(ratios(rounds, baselineRounds, compared));
  if (Number.isNaN(median)) return 'unknown: no round with the baseline';
  // Three digits after the point are what a bar of 1.05 needs; nobody reads them behind 190.
  const digits = median < 10 ? 3 : 0;
  return `**${format(median, digits)}** (${format(low, digits)}–${format(high, digits)})`;
}

/** Its rows as Markdown, the first of them the head. Padded, so that the same text reads well on a terminal. Numbers are set to the right. */
export function table([head, ...rows]) {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => row[column].length)));
  const line = (row) =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

function format(number, digits) {
  return number.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
