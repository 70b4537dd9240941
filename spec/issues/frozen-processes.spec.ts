import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { type Answer, json, loopback } from '../support/loopback.ts';

// A container is paused, a laptop sleeps: nothing runs meanwhile, and the server goes on.

async function frozen(answer: Answer) {
  const server = await loopback(answer);
  onTestFinished(() => server.close());
  const program = fileURLToPath(new URL('./frozen-processes.program.ts', import.meta.url));
  const child: ChildProcess = fork(program, [server.url], { execArgv: ['--import', 'tsx'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'message');
  /** Has it call each path; gives how those calls ended. */
  const calls = async (...paths: readonly string[]): Promise<unknown[]> => {
    const told: unknown[] = [];
    const all = new Promise<unknown[]>((resolve) => {
      const hear = (ended: unknown) => {
        if (told.push(ended) < paths.length) return;
        child.off('message', hear);
        resolve(told);
      };
      child.on('message', hear);
    });
    for (const path of paths) child.send(path);
    return all;
  };
  return { server, child, calls };
}

it('a process that was frozen between calls, and whose connections were cut meanwhile, calls again on fresh ones', async () => {
  const { calls, child, server } = await frozen((_request, response) => json(response, 200));
  expect(await calls('/1', '/2')).toEqual(['success', 'success']);
  child.kill('SIGSTOP');
  for (const socket of server.sockets) socket.resetAndDestroy();
  // They are told before it goes on, so that they may meet the dead connections before it has heard of those.
  const later = calls('/3', '/4', '/5');
  await sleep(500);
  child.kill('SIGCONT');
  expect(await later).toEqual(['success', 'success', 'success']);
});

it('a process that was frozen in a call takes the answer that came meanwhile', async () => {
  const held: (() => void)[] = [];
  const { calls, child } = await frozen((_request, response) => void held.push(() => json(response, 200)));
  const call = calls('/slow');
  await expect.poll(() => held.length).toBe(1);
  child.kill('SIGSTOP');
  held[0]?.();
  await sleep(1_000);
  child.kill('SIGCONT');
  expect(await call).toEqual(['success']);
});

it('a process that was frozen in a call whose connection was cut meanwhile comes to an end of it', async () => {
  const { calls, child, server } = await frozen((_request, response, n) => {
    if (n > 0) json(response, 200);
  });
  const call = calls('/lost');
  await expect.poll(() => server.seen.length).toBe(1);
  child.kill('SIGSTOP');
  for (const socket of server.sockets) socket.resetAndDestroy();
  await sleep(500);
  child.kill('SIGCONT');
  // On a connection of its own nothing was stale: an ordinary retry, whose wait here is longer than the deadline.
  expect(await call).toEqual(['deadline']);
});
