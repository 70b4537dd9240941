import { describe, expect, it } from 'vitest';
import { headerValue } from '../../lib/send/header-value.ts';

describe(headerValue.name, () => {
  it.each(['k', 'a b', '!~', '"8e03978e-40d5-43dd-bc93-6894a57f9324"'])('takes printable ASCII: %s', (made) => {
    expect(headerValue(made, 'idempotency.generate')).toBe(made);
  });

  it.each(['', ' ', ' k', 'k ', 'a\nb', 'é', 'aé', 'éa', 'a\t', 7, null, undefined, {}, ['k']])(
    'refuses %j, which would arrive as something else',
    (made) => {
      expect(() => headerValue(made, 'idempotency.generate')).toThrow(
        new TypeError('idempotency.generate must give a string of printable ASCII, without blanks around it'),
      );
    },
  );
});
