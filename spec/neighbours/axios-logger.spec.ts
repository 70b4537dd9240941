import axios from 'axios';
import { attach } from 'axios-holdfast';
import { errorLogger, requestLogger, responseLogger } from 'axios-logger';
import { describe, expect, it, onTestFinished } from 'vitest';
import { inTurn, rejectionOf, status } from '../support/attached.ts';
import { type Answer, loopback } from '../support/loopback.ts';

describe.each(['before attach', 'after it'])('axios-logger, whose interceptors are registered %s', (order) => {
  async function client(answer: Answer) {
    const server = await loopback(answer);
    onTestFinished(() => server.close());
    const instance = axios.create({ baseURL: server.url });
    const lines: string[] = [];
    const options = { logger: (line: string) => void lines.push(line), prefixText: 'log' };
    const log = () => {
      instance.interceptors.request.use((config) => requestLogger(config, options) as typeof config);
      instance.interceptors.response.use(
        (response) => responseLogger(response, options) as typeof response,
        (error) => errorLogger(error, options),
      );
    };
    if (order === 'before attach') log();
    attach(instance, { retry: { backoff: () => 0 } });
    if (order === 'after it') log();
    return { instance, lines, server };
  }

  it('writes one line for the request and one for the result, however many sends there are', async () => {
    const { instance, lines, server } = await client(inTurn(status(503), status(503), status(200)));
    await instance.get('/x');
    expect(server.seen).toHaveLength(3);
    expect(lines).toEqual([expect.stringMatching(/Request.*GET.*\/x/), expect.stringMatching(/Response.*200/)]);
  });

  it('writes the error of the last send', async () => {
    const { instance, lines } = await client(inTurn(status(503), status(404)));
    await rejectionOf(instance.get('/x'));
    expect(lines).toEqual([expect.stringMatching(/Request/), expect.stringMatching(/Error.*404/)]);
  });
});
