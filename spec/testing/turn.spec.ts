import { describe, expect, it, onTestFinished, vi } from 'vitest';

/** `turn` as it is loaded where these are missing, or fake. */
async function loaded(globals: { readonly [name: string]: unknown }) {
  for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value);
  vi.resetModules();
  const { turn } = await import('../../lib/testing/turn.ts');
  onTestFinished(() => {
    vi.unstubAllGlobals();
    vi.resetModules();
  });
  return turn;
}

/** As runners make them: they never fire by themselves. */
const fake = Object.assign(() => {}, { clock: {} });

describe('a turn, in which everything goes on that needs no time', () => {
  it.each([
    ['Node', {}],
    ['a browser, which has no setImmediate', { setImmediate: undefined }],
    ['faked timers', { setImmediate: fake, setTimeout: fake }],
    ['a runtime without messages', { setImmediate: undefined, MessageChannel: undefined }],
    ['faked timers without messages, as in jsdom', { setImmediate: fake, MessageChannel: undefined, setTimeout: fake }],
  ])('is made with what %s has', async (_, globals) => {
    const turn = await loaded(globals);
    let steps = 0;
    const chain = (async () => {
      for (; steps < 200; steps++) await undefined;
    })();
    await turn();
    expect(steps).toBe(200);
    await chain;
  });
});
