/** Rejects when the signal aborts, with its reason; for a race, so it is never an unhandled rejection. */
export function aborted(signal: AbortSignal): Promise<never> {
  const never = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  never.catch(() => {});
  return never;
}
