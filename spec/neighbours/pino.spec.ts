import { failureOf, reportOf } from 'axios-holdfast';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { attached, axiosErrorOf, inTurn, status } from '../support/attached.ts';

/** A logger, and the lines that it has written. */
function logger(level = 'debug') {
  const lines: { readonly level: number; readonly msg: string; readonly [field: string]: unknown }[] = [];
  return { lines, log: pino({ level }, { write: (line: string) => void lines.push(JSON.parse(line)) }) };
}

const { debug, info, warn } = pino.levels.values as Record<'debug' | 'info' | 'warn', number>;

describe('pino', () => {
  it('is a logger as it stands: each line at its level', async () => {
    const { lines, log } = logger();
    const { client } = await attached(inTurn(status(503), status(404)), { log });
    await axiosErrorOf(client.get('/x'));
    expect(lines.map((line) => line.level)).toEqual([debug, debug, info, debug, debug, warn]);
    for (const { msg } of lines) expect(msg).toMatch(/^holdfast \+\d+\.\d{3} s call-\d+ GET http/);
  });

  it('leaves out what its own level leaves out', async () => {
    const { lines, log } = logger('warn');
    const { client } = await attached(inTurn(status(503), status(404)), { log });
    await axiosErrorOf(client.get('/x'));
    expect(lines.map((line) => line.level)).toEqual([warn]);
  });

  it('writes a failure and a report as JSON without the token; the error of axios has it in its `request` only, and not in its config', async () => {
    const { lines, log } = logger();
    const auth = { token: () => 'sesame-open', refresh: async () => 'sesame-new', origins: 'any' as const };
    const { client } = await attached(status(401), { auth });
    const error = await axiosErrorOf(client.get('/x'));
    log.error({ failure: failureOf(error), report: reportOf(error) }, 'given up');
    log.error(error);
    expect(lines[0]).toMatchObject({
      failure: { kind: 'unauthorized', sends: 2 },
      report: { endedBecause: 'still-unauthorized' },
    });
    const { request, response, ...err } = (lines[1]?.err ?? {}) as Record<string, unknown>;
    expect(err).toMatchObject({ type: 'AxiosError', status: 401 });
    expect(JSON.stringify([lines[0], err])).not.toContain('sesame');
  });
});
