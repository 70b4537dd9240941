/**
 * The text as a single line of at most `maxLength` UTF-16 units, `…` included where something was cut off.
 *
 * Runs of white space and control characters become one space; terminal sequences, bidirectional overrides and other
 * invisible characters (but not the joiners that scripts need) are taken out. No surrogate pair is cut in half.
 */
export function oneLine(text: string, maxLength: number): string {
  const line = text.replace(TERMINAL, '').replace(INVISIBLE, '').replace(GAPS, ' ').trim();
  if (line.length <= maxLength) return line;
  if (!(maxLength >= 1)) return '';
  const cut = Math.floor(maxLength) - 1;
  const end = /[\ud800-\udbff]/.test(line.charAt(cut - 1)) ? cut - 1 : cut;
  return `${line.slice(0, end).trimEnd()}…`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what we look for
const TERMINAL = /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)/g;

const INVISIBLE = /(?![\u200c\u200d])[\p{Cf}\p{Cs}]/gu;

const GAPS = /[\s\p{Cc}]+/gu;
