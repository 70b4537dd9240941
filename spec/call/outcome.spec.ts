import { describe, expect, it } from 'vitest';
import { brokeOff, type Outcome, responseOf } from '../../lib/call/outcome.ts';

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

describe(brokeOff.name, () => {
  it.each<[string, object, boolean]>([
    ['a 200 that is rejected without its data', { error: { response: { status: 200 } } }, true],
    ['a 299 likewise', { error: { response: { status: 299 } } }, true],
    ['one whose data came', { error: { response: { status: 200, data: undefined } } }, false],
    ['a 300', { error: { response: { status: 300 } } }, false],
    ['a 199', { error: { response: { status: 199 } } }, false],
    ['no answer', { error: {} }, false],
    ['what axios resolves', { response: { status: 200 } }, false],
  ])('of %s: %s', (_, outcome, whether) => {
    expect(brokeOff(outcome as Outcome)).toBe(whether);
  });
});
