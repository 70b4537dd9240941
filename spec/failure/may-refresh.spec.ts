import { describe, expect, it } from 'vitest';
import { parseChallenges } from '../../lib/failure/challenge.ts';
import { mayRefresh } from '../../lib/failure/may-refresh.ts';
import vectors from '../vectors/www-authenticate.json' with { type: 'json' };

const judged = vectors.cases.filter((vector) => vector.refresh !== undefined);

describe(mayRefresh.name, () => {
  it.each(judged)('judges $id as its specification does: $refresh', ({ value, refresh }) => {
    // Where it is a matter of policy, who configured a refresh wants one.
    expect(mayRefresh(parseChallenges(value))).toBe(refresh === 'policy' ? true : refresh);
  });

  it('lets a 401 without any challenge be refreshed', () => {
    expect(mayRefresh([])).toBe(true);
  });

  it.each([
    'Bearer error=insufficient_scope',
    'DPoP error="INSUFFICIENT_SCOPE"',
    'Basic realm=a, Bearer error=invalid_request',
  ])('sees no use in a refresh on %s', (header) => {
    expect(mayRefresh(parseChallenges(header))).toBe(false);
  });

  it.each([
    'Bearer error=insufficient_scope, DPoP error=invalid_token',
    'Bearer error="invalid_token", Bearer error="insufficient_scope"',
    'Bearer error="insufficient_claims", claims="ey=="',
    'Bearer error_description="insufficient_scope"',
    'OAuth realm=urn:cpsvc:cpid:{some cid}',
  ])('sees a chance in %s', (header) => {
    expect(mayRefresh(parseChallenges(header))).toBe(true);
  });
});
