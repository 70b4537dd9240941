/** One process of a fleet, as its parent sees it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';

/** Forks `file`, which sends `{ value }` or `{ error }` once it is there and for each task. → a function that asks it to do a task, and `leave`. */
export async function startMember(file, args, name = 'a process of the fleet') {
  const child = fork(file, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = once(child, 'exit').then(([code]) => ({ error: `${name} ended with code ${code}` }));
  const answer = async () => {
    const [{ value, error }] = await Promise.race([once(child, 'message'), ended.then((how) => [how])]);
    if (error !== undefined) throw new Error(error);
    return value;
  };
  const ask = (task, message = {}) => {
    const answered = answer();
    child.send({ task, ...message });
    return answered;
  };
  ask.leave = () => child.connected && child.disconnect();
  await answer();
  return ask;
}
