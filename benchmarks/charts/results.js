/** What RESULTS.md says, as numbers. */
import { readFile } from 'node:fs/promises';

const results = await readFile(new URL('../RESULTS.md', import.meta.url), 'utf8');

/**
 * The medians in a column of one table, by candidate.
 *
 * @param heading of the case; `undefined` where a benchmark has only one
 *
 * @throws where there is no such benchmark, case or column
 */
export function medians(benchmark, heading, column) {
  const section = between(results, `<!-- begin ${benchmark} -->`, `<!-- end ${benchmark} -->`);
  const cased = heading === undefined ? section : between(`${section}\n### `, `### ${heading}\n`, '\n### ');
  const table = cased.split('\n').filter((line) => line.startsWith('|'));
  const [names, , ...rows] = table.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  const index = names?.findIndex((name) => name.startsWith(column)) ?? -1;
  if (index < 0) throw new Error(`RESULTS.md has no column "${column}" at ${benchmark}, ${heading}`);
  return Object.fromEntries(rows.map((cells) => [cells[0], numberIn(cells[index])]));
}

const numberIn = (cell) => Number(/-?[\d,.]+/.exec(cell)[0].replaceAll(',', ''));

function between(text, from, to) {
  const start = text.indexOf(from);
  const end = text.indexOf(to, start + from.length);
  if (start < 0 || end < 0) throw new Error(`RESULTS.md has no "${from.trim()}"`);
  return text.slice(start + from.length, end);
}
