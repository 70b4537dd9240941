import axios from 'axios';
import { attach } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { type Instrumentation, instrumentedOf } from '../../lib/observe/instrumentation.ts';

/** Who goes along with the calls of an attachment, and what it has seen. */
function along() {
  const seen: string[] = [];
  const by: Instrumentation = {
    call: async (call, run) => {
      seen.push(`begins ${call.config.url}`);
      const response = await run();
      seen.push(`ends ${response.status}`);
      return response;
    },
    send: async (call, config, run) => {
      seen.push(`sends ${call.sent} to ${config.url}`);
      return await run();
    },
    detached: () => void seen.push('detached'),
  };
  return { by, seen };
}

describe('who goes along with calls', () => {
  it('is around each of them and each of its sends, and is told once when the attachment ends', async () => {
    let n = 0;
    const client = axios.create({
      validateStatus: () => true,
      adapter: async (config) => ({ status: n++ === 0 ? 503 : 200, statusText: '', headers: {}, data: '', config }),
    });
    const holdfast = attach(client, { retry: { backoff: () => 0 } });
    const instrumented = instrumentedOf(holdfast);
    if (instrumented === undefined) throw new Error('every attachment can be gone along with');
    expect(instrumented).toEqual({ by: undefined, isDetached: false });
    const { by, seen } = along();
    instrumented.by = by;
    await client.get('/a');
    await client.get('/b', { holdfast: false });
    expect(seen).toEqual(['begins /a', 'sends 1 to /a', 'sends 2 to /a', 'ends 200']);
    seen.length = 0;
    holdfast.detach();
    holdfast.detach();
    expect([seen, instrumented.isDetached]).toEqual([['detached'], true]);
  });

  it('is not known of what is no attachment', () => {
    expect(instrumentedOf({})).toBeUndefined();
  });
});
