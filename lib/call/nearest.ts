/**
 * The known name that a wrong one was most likely meant to be; `undefined` where none is near. Near is the only name that begins with it
 * (from 4 letters on), else one that differs from it in a third of its letters plus one, at most.
 */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const written = name.toLowerCase();
  const begun = known.filter((each) => written.length > 3 && each.toLowerCase().startsWith(written));
  if (begun.length === 1) return begun[0];
  const [near] = known
    .map((each) => ({ each, far: distance(written, each.toLowerCase()) }))
    .sort((a, b) => a.far - b.far);
  return near !== undefined && near.far <= 1 + name.length / 3 ? near.each : undefined;
}

/** Levenshtein's edit distance, one row at a time. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = Number(row[j - 1]) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, Number(row[j]) + 1, Number(next[j - 1]) + 1));
    }
    row = next;
  }
  return Number(row.at(-1));
}
