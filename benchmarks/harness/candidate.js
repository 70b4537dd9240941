/** The parent's side of one candidate: a child process that answers one request at a time over IPC. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const worker = fileURLToPath(new URL('worker.js', import.meta.url));
const exitWithinMs = 5_000;

export class Candidate {
  #child;
  #exited;
  #timeoutMs;
  #output = '';

  constructor(file, metrics, timeoutMs) {
    this.#timeoutMs = timeoutMs;
    this.#child = fork(worker, [file.href, ...metrics], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        this.#output = (this.#output + text).slice(-4_000);
      });
    }
    this.#exited = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(`could not be started: ${error.message}`));
      // 'close' and not 'exit': what the child printed last has been read by then.
      this.#child.once('close', (code, signal) => resolve(`the process ended with ${signal ?? `code ${code}`}`));
    });
  }

  setup(context) {
    return this.#ask({ task: 'setup', context });
  }

  run() {
    return this.#ask({ task: 'run' });
  }

  /** Ends the process by its own will: what it can't let go of, a user's process could not either. */
  async stop() {
    await this.#ask({ task: 'stop' });
    const how = await this.#within(exitWithinMs, this.#exited, 'something keeps its event loop alive after teardown');
    if (how !== 'the process ended with code 0') throw this.#failure(how);
  }

  kill() {
    this.#child.kill('SIGKILL');
  }

  async #ask(message) {
    let listener;
    const answered = new Promise((resolve) => {
      listener = resolve;
      this.#child.once('message', listener);
    });
    // Should the process be gone already, then `#exited` says so better than the error of the channel.
    this.#child.send(message, () => {});
    try {
      const ended = this.#exited.then((how) => ({ error: how }));
      const answer = await this.#within(this.#timeoutMs, Promise.race([answered, ended]), 'no answer');
      if (answer.error !== undefined) throw this.#failure(answer.error);
      return answer.value;
    } finally {
      this.#child.off('message', listener);
    }
  }

  async #within(ms, promise, complaint) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(this.#failure(`${complaint} within ${ms} ms`)), ms);
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #failure(text) {
    const output = this.#output.trim();
    return new Error(output === '' ? text : `${text}\nit printed:\n${output}`);
  }
}
