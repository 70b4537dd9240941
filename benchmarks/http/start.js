/** Starts the server as a process of its own, so that no candidate's work delays it. For the benchmark's `prepare`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('main.js', import.meta.url));

export async function startServer() {
  // stdin is the leash: when this process goes, by whatever means, the server's stdin is closed and it goes as well.
  const child = spawn(process.execPath, [command], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the server ended with code ${code}`);
  });
  ended.catch(() => {});
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), ended]);
  return {
    url: JSON.parse(line).url,
    async close() {
      child.kill();
      await ended.catch(() => {});
    },
  };
}
