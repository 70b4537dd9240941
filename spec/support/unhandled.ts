/** Collects what nobody handled while `task` ran, and until everything has settled afterwards. */
export async function unhandledDuring(task: () => Promise<unknown>): Promise<readonly unknown[]> {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => {
    unhandled.push(reason);
  };
  process.on('unhandledRejection', note);
  process.on('uncaughtException', note);
  try {
    await task();
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.off('unhandledRejection', note);
    process.off('uncaughtException', note);
  }
  return unhandled;
}
