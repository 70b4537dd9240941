import { AxiosHeaders } from 'axios';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../lib/call/outcome.ts';
import { evidenceOn, handOverShown } from '../../lib/classify/judging.ts';
import { underWay } from '../support/under-way.ts';

/** A call whose bodies are made something of, and how often. */
function setUp() {
  const transformed: unknown[] = [];
  const transformResponse = (data: unknown) => {
    transformed.push(data);
    return { made: data };
  };
  const config = { url: 'https://api.example.com/', headers: new AxiosHeaders(), transformResponse };
  const { call, clock } = underWay(config);
  const answer = (data: unknown): Outcome => ({
    response: { status: 200, statusText: '', headers: new AxiosHeaders(), config, data },
  });
  return { call, clock, answer, transformed, evidence: (outcome: Outcome) => evidenceOn(call, outcome, clock) };
}

describe(evidenceOn.name, () => {
  it('is made once for an outcome, and anew for the next', () => {
    const { answer, evidence } = setUp();
    const [one, two] = [answer('one'), answer('two')];
    expect(evidence(one)).toBe(evidence(one));
    expect(evidence(two)).not.toBe(evidence(one));
    expect(evidence(two).outcome).toBe(two);
  });

  it('has what `transformResponse` makes of the body, which runs when somebody asks, and once', () => {
    const { answer, evidence, transformed } = setUp();
    const shown = evidence(answer('body'));
    expect(transformed).toEqual([]);
    expect([shown.data, shown.data]).toEqual([{ made: 'body' }, { made: 'body' }]);
    expect(transformed).toEqual(['body']);
  });

  it('has none of a send that was not answered, nor of one that is over', () => {
    const { answer, evidence, transformed } = setUp();
    const early = evidence(answer('one'));
    expect(evidence({ error: new Error('lost') }).data).toBeUndefined();
    expect(early.data).toBeUndefined();
    expect(transformed).toEqual([]);
  });

  it('has the error of the body, as the loop has read it', () => {
    const { call, evidence } = setUp();
    call.errorText = '{"error":{"code":"Busy"}}';
    expect(evidence({ response: { status: 503, headers: {}, data: {} } as never }).api).toMatchObject({ code: 'Busy' });
  });
});

describe(handOverShown.name, () => {
  it('has axios take what was made, so that it is not made twice', () => {
    const { answer, call, evidence, transformed } = setUp();
    const outcome = answer('body');
    const { data } = evidence(outcome);
    handOverShown(call, outcome);
    const [take] = [call.config.transformResponse ?? []].flat();
    expect(take?.call(call.config, 'body', new AxiosHeaders(), 200)).toBe(data);
    expect(transformed).toEqual(['body']);
    expect(call.shown).toBeUndefined();
  });

  it('lets go of what was shown: who asks later is shown nothing', () => {
    const { answer, call, evidence } = setUp();
    const outcome = answer('body');
    const shown = evidence(outcome);
    handOverShown(call, outcome);
    expect(shown.data).toBeUndefined();
  });

  it('has nothing to hand over where nobody asked, or nothing was answered', () => {
    const { answer, call, evidence } = setUp();
    handOverShown(call, answer('body'));
    const lost: Outcome = { error: new Error('lost') };
    evidence(lost);
    expect(() => handOverShown(call, lost)).not.toThrow();
  });
});
