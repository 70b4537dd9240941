/** The child's side: loads one candidate's file and does what the parent asks, one thing at a time. */
const [file, ...metrics] = process.argv.slice(2);
let candidate;

const tasks = {
  async setup({ context }) {
    const { setup } = await import(file);
    candidate = await setup(context);
  },
  async run() {
    const values = await candidate.run();
    return Object.fromEntries(
      metrics.map((key) => {
        if (!Number.isFinite(values[key])) throw new Error(`run() gave ${key}: ${values[key]}, not a finite number`);
        return [key, values[key]];
      }),
    );
  },
  async stop() {
    await candidate.teardown?.();
  },
};

const onDisconnect = () => process.exit(1);
process.once('disconnect', onDisconnect);

process.on('message', async (message) => {
  try {
    process.send({ value: await tasks[message.task](message) });
  } catch (error) {
    process.send({ error: error instanceof Error ? error.stack : String(error) });
  }
  if (message.task === 'stop') {
    process.off('disconnect', onDisconnect);
    process.disconnect();
  }
});
