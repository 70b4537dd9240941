import { AxiosHeaders } from 'axios';
import { describe, expect, it } from 'vitest';
import { CorrelationStation } from '../../lib/correlation/station.ts';
import type { CallUnderWay } from '../../lib/loop/call-under-way.ts';
import { underWay } from '../support/under-way.ts';

const callOf = (): CallUnderWay => underWay({ headers: new AxiosHeaders() }).call;

/** The headers of a send of that call that had these before. */
function stamped(station: CorrelationStation, call: CallUnderWay, before: Record<string, string> = {}): object {
  const headers = new AxiosHeaders(before);
  station.stamp(call, { headers });
  return { ...headers };
}

describe(CorrelationStation.name, () => {
  it('writes one id on all sends of a call, and another on those of the next', () => {
    let made = 0;
    const station = new CorrelationStation({ header: 'X-Request-Trace', generate: () => `trace-${++made}` });
    const [one, other] = [callOf(), callOf()];
    expect(stamped(station, one)).toEqual({ 'X-Request-Trace': 'trace-1' });
    expect(stamped(station, other)).toEqual({ 'X-Request-Trace': 'trace-2' });
    expect(stamped(station, one)).toEqual({ 'X-Request-Trace': 'trace-1' });
    expect([one.correlationId, other.correlationId]).toEqual(['trace-1', 'trace-2']);
  });

  it('makes a UUID where the policy makes none', () => {
    const station = new CorrelationStation({ header: 'X-Correlation-ID' });
    expect(stamped(station, callOf())).toEqual({
      'X-Correlation-ID': expect.stringMatching(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/),
    });
  });

  it('leaves what the caller has set, however that is spelled, and makes none', () => {
    const generate = () => {
      throw new Error('made one');
    };
    const station = new CorrelationStation({ header: 'X-Correlation-ID', generate });
    const call = callOf();
    expect(stamped(station, call, { 'x-correlation-id': 'mine' })).toEqual({ 'x-correlation-id': 'mine' });
    expect(call.correlationId).toBeUndefined();
  });

  it('refuses what no header may hold, and says which option made it', () => {
    const station = new CorrelationStation({ header: 'X-Correlation-ID', generate: () => 'a\nb' });
    expect(() => stamped(station, callOf())).toThrow('correlation.generate must give a string of printable ASCII');
  });
});
