import { attachWith } from '../../../build/full.js';
import { amplificationOf } from '../amplification-of.js';

export const setup = amplificationOf((client, { clock, random, retries, oneBudget }) => {
  const budget = oneBudget ? { key: () => 'both' } : {};
  attachWith({ clock, random }, client, { retry: { maxRetries: retries, budget } });
});
