import { describe, expect, it } from 'vitest';
import { type Outcome, responseOf } from '../../lib/call/outcome.ts';

describe(responseOf.name, () => {
  const response = { status: 200 };

  it('finds the answer whichever way axios delivered it', () => {
    expect(responseOf({ response } as Outcome)).toBe(response);
    expect(responseOf({ error: { response } } as Outcome)).toBe(response);
  });

  it.each([undefined, null, 'text', 503, {}, { response: null }, { response: 'text' }, { response: undefined }])(
    'finds none in an error that has none, or what is none: %j',
    (error) => {
      expect(responseOf({ error })).toBeUndefined();
    },
  );

  it.each([undefined, null, 'text', 503])('finds none where an adapter resolves with %j', (nonsense) => {
    expect(responseOf({ response: nonsense } as unknown as Outcome)).toBeUndefined();
  });
});
