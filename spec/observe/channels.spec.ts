import diagnostics from 'node:diagnostics_channel';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { EVENT_NAMES, type EventName } from '../../lib/call/events.ts';
import { channels } from '../../lib/observe/channels.ts';
import { scripted } from '../support/scripted.ts';

const subscriptions: (() => void)[] = [];

afterEach(() => {
  for (const undo of subscriptions.splice(0)) undo();
});

function subscribe(name: string): { channel: string; message: unknown }[] {
  const heard: { channel: string; message: unknown }[] = [];
  const listener = (message: unknown, channel: string | symbol) => {
    heard.push({ channel: String(channel), message });
  };
  diagnostics.subscribe(name, listener);
  subscriptions.push(() => void diagnostics.unsubscribe(name, listener));
  return heard;
}

describe('the diagnostics channels', () => {
  it('are named holdfast:<event>, one for each event', () => {
    expect(Object.keys(channels)).toEqual(EVENT_NAMES);
    for (const name of EVENT_NAMES) expect(channels[name]).toBe(diagnostics.channel(`holdfast:${name}`));
  });

  it('carry the very payload that listeners get', async () => {
    const heard = subscribe('holdfast:finished');
    const payloads: unknown[] = [];
    const subject = scripted([200], { on: { finished: (event) => payloads.push(event) } });
    await subject.call();
    expect(heard).toEqual([{ channel: 'holdfast:finished', message: payloads[0] }]);
    expect(heard[0]?.message).toBe(payloads[0]);
  });

  it('carry every event of every attachment, in order', async () => {
    const order: unknown[] = [];
    for (const name of EVENT_NAMES) {
      const listener = (_message: unknown, channel: string | symbol) => void order.push(channel);
      diagnostics.subscribe(`holdfast:${name}`, listener);
      subscriptions.push(() => void diagnostics.unsubscribe(`holdfast:${name}`, listener));
    }
    await scripted([503, 200]).call();
    await scripted([404]).call();
    expect(order).toEqual(
      ['sent', 'answered', 'retry-scheduled', 'sent', 'answered', 'finished', 'sent', 'answered', 'finished'].map(
        (name) => `holdfast:${name}`,
      ),
    );
  });

  it('are published to only while somebody has subscribed', async () => {
    const publish = vi.spyOn(channels.finished as unknown as { publish(message: unknown): void }, 'publish');
    const subject = scripted(() => 200, { on: { finished: () => {} } });
    await subject.call();
    expect(publish).not.toHaveBeenCalled();
    subscribe('holdfast:finished');
    await subject.call();
    expect(channels.sent.hasSubscribers).toBe(false);
    expect(channels.finished.hasSubscribers).toBe(true);
  });

  it('do without the module where there is none', async () => {
    const { getBuiltinModule } = process;
    try {
      Object.defineProperty(process, 'getBuiltinModule', { value: undefined, configurable: true, writable: true });
      vi.resetModules();
      const copy: typeof import('../../lib/observe/channels.ts') = await import('../../lib/observe/channels.ts');
      for (const name of EVENT_NAMES as EventName[]) {
        expect(copy.channels[name].hasSubscribers).toBe(false);
        expect(() => copy.channels[name].publish({})).not.toThrow();
      }
    } finally {
      Object.defineProperty(process, 'getBuiltinModule', {
        value: getBuiltinModule,
        configurable: true,
        writable: true,
      });
    }
  });
});
