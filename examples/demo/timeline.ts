/** Draws what happens, a line for each thing, as text for a terminal. Pure. */

export type Moment =
  | { readonly kind: 'chapter'; readonly title: string }
  | { readonly kind: 'call'; readonly call: number; readonly method: string; readonly path: string }
  | {
      readonly kind: 'send';
      readonly call: number;
      readonly send: number;
      readonly result: string;
      readonly ok: boolean;
    }
  | { readonly kind: 'wait'; readonly call: number; readonly ms: number; readonly why: string }
  | { readonly kind: 'refresh'; readonly ms: number; readonly ok: boolean }
  | { readonly kind: 'failure'; readonly call: number; readonly summary: string };

export interface Screen {
  readonly columns: number;
  readonly colour: boolean;
}

const COLOURS = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** So much time is one column of a bar, in ms: a second is ten columns, on a narrow screen five. */
export const msPerColumn = ({ columns }: Screen): number => (columns < 80 ? 200 : 100);

/** One or more lines for what happened `atMs` after the story began. None is wider than the screen. */
export function draw(moment: Moment, atMs: number, screen: Screen): string {
  const paint = (colour: keyof typeof COLOURS, text: string) =>
    screen.colour ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text;
  const bar = (glyph: string, ms: number) => glyph.repeat(Math.max(1, Math.round(ms / msPerColumn(screen))));
  const line = (call: number | undefined, colour: keyof typeof COLOURS, text: string) => {
    const who = call === undefined ? '' : `#${call}`;
    const margin = `${(atMs / 1_000).toFixed(2).padStart(6)} ${who.padEnd(4)}`;
    const indent = ' '.repeat(margin.length);
    return wrap(text, Math.max(20, screen.columns - margin.length - 1))
      .map((part, i) => `${paint('dim', i === 0 ? margin : indent)} ${paint(colour, part)}`)
      .join('\n');
  };

  switch (moment.kind) {
    case 'chapter':
      return `\n${wrap(moment.title, screen.columns)
        .map((part) => paint('bold', part))
        .join('\n')}`;
    case 'call':
      return line(moment.call, 'cyan', `${moment.method} ${moment.path}`);
    case 'send':
      return line(
        moment.call,
        moment.ok ? 'green' : 'red',
        `  ${moment.ok ? '✓' : '✗'} send ${moment.send}: ${moment.result}`,
      );
    case 'wait':
      return line(moment.call, 'yellow', `  ${bar('░', moment.ms)} waits ${seconds(moment.ms)}: ${moment.why}`);
    case 'refresh':
      return line(undefined, moment.ok ? 'green' : 'red', `${bar('▓', moment.ms)} ${refreshed(moment)}`);
    case 'failure':
      return line(moment.call, 'red', `  → ${moment.summary}`);
  }
}

const refreshed = ({ ms, ok }: { ms: number; ok: boolean }) =>
  `one token refresh for everybody ${ok ? `took ${seconds(ms)}` : 'failed'}`;

const seconds = (ms: number) => (ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`);

/** Breaks at blanks, and within a word only where it alone is too wide. Leading blanks indent what follows. */
function wrap(text: string, width: number): string[] {
  const indent = /^ */.exec(text)?.[0] ?? '';
  const lines: string[] = [];
  let current = '';
  for (let word of text.trim().split(' ')) {
    if (current !== '' && indent.length + current.length + 1 + word.length <= width) {
      current += ` ${word}`;
      continue;
    }
    if (current !== '') lines.push(indent + current);
    for (; indent.length + word.length > width; word = word.slice(width - indent.length)) {
      lines.push(indent + word.slice(0, width - indent.length));
    }
    current = word;
  }
  return [...lines, indent + current];
}
