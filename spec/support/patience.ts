/** Set up before every spec. */
import { vi } from 'vitest';

/** Longer than anything takes on a machine with a lot else to do, and less than a test may take. */
const PATIENCE_MS = 60_000;

/** By itself it gives up after a second, and then says that something is not so that only is not so yet. */
const { waitFor } = vi;
vi.waitFor = <T>(check: () => T | Promise<T>, options: Parameters<typeof waitFor>[1] = {}) =>
  waitFor(check, typeof options === 'number' ? options : { timeout: PATIENCE_MS, ...options });
