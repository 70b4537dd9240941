/** A member's side of start-member.js: does the tasks that its parent sends, one after the other, and ends with it. */
export function doTasks(tasks) {
  process.once('disconnect', () => process.exit());
  process.on('message', async ({ task, ...message }) => {
    try {
      process.send({ value: await tasks[task](message) });
    } catch (error) {
      process.send({ error: error.stack });
    }
  });
  process.send({ value: 'here' });
}
