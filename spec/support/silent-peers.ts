import net, { type AddressInfo, type Server } from 'node:net';
import { Worker } from 'node:worker_threads';
import { onTestFinished } from 'vitest';

/** A TCP server on 127.0.0.1 that does with each connection what it is told; gone when the test ends. */
export async function peer(
  each: (socket: net.Socket) => void,
): Promise<{ readonly port: number; readonly seen: () => number }> {
  let connections = 0;
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    each(socket);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: await listening(server), seen: () => connections };
}

/** Waits for the first bytes, and then ends, or resets, the connection. */
export const endsAtOnce = () => peer((socket) => socket.once('data', () => socket.end()));
export const resetsAtOnce = () => peer((socket) => socket.once('data', () => socket.resetAndDestroy()));
/** Takes connections and never says anything. */
export const mute = () => peer(() => {});

/**
 * A port of 127.0.0.1 where nobody gets through: its listener's thread is blocked, so that nothing is ever accepted, and its
 * queue is full, so that the system leaves every further connection waiting.
 */
export async function unreachablePort(): Promise<number> {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     const server = require('node:net').createServer();
     server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       setImmediate(() => Atomics.wait(workerData, 0, 0));
     });`,
    { eval: true, workerData: gate },
  );
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  // A backlog of one holds two.
  const waiting = Array.from({ length: 4 }, () => net.connect(port, '127.0.0.1').on('error', () => {}));
  onTestFinished(async () => {
    for (const socket of waiting) socket.destroy();
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    await worker.terminate();
  });
  let connected = 0;
  await new Promise<void>((resolve) => {
    for (const socket of waiting) {
      socket.on('connect', () => {
        connected += 1;
        if (connected === 2) resolve();
      });
    }
  });
  return port;
}

export function listening(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
