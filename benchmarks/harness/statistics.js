/** Medians and quartiles: a batch during which something else had the processor must not move the result. */

/** The quantile `q` (0 to 1) by linear interpolation; NaN of nothing. */
export function quantile(values, q) {
  const sorted = values.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * q;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

/** → { median, low, high }: `low` and `high` are the quartiles. */
export function summarize(values) {
  return { median: quantile(values, 0.5), low: quantile(values, 0.25), high: quantile(values, 0.75) };
}

/** The ratio of each round that both took part in. */
export function ratios(rounds, baselineRounds, key) {
  return rounds.flatMap((metrics, index) => {
    const baseline = baselineRounds[index];
    return metrics === undefined || baseline === undefined ? [] : [metrics[key] / baseline[key]];
  });
}
