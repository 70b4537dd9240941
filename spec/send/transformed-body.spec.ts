import { AxiosHeaders, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it, vi } from 'vitest';
import { TransformedBody } from '../../lib/send/transformed-body.ts';

type Transform = InternalAxiosRequestConfig['transformResponse'];

function setting(transformResponse: Transform, data: unknown = '{"n":1}') {
  const config = { headers: new AxiosHeaders(), transformResponse } as InternalAxiosRequestConfig;
  const response: AxiosResponse = { status: 200, statusText: '', headers: new AxiosHeaders(), data, config };
  return { config, response, body: new TransformedBody(config, response) };
}

/** What axios does with the answer that ends a call. */
function axiosTakes({ config, response }: ReturnType<typeof setting>): unknown {
  return [config.transformResponse ?? []]
    .flat()
    .reduce((data, each) => each.call(config, data, response.headers as never, response.status), response.data);
}

const parse = () => vi.fn((data: string) => ({ parsed: JSON.parse(data) }));

describe(TransformedBody.name, () => {
  it('is what the transforms make one after the other, as axios calls them', () => {
    const first = vi.fn(function (this: unknown, data: string) {
      return [this, data];
    });
    const second = vi.fn((data: unknown) => ({ data }));
    const { config, response, body } = setting([first, second]);
    expect(body.make()).toEqual({ data: [config, '{"n":1}'] });
    for (const each of [first, second]) expect(each.mock.calls[0]?.slice(1)).toEqual([response.headers, 200]);
  });

  it.each([undefined, null, []])('is the body as it came where there are none: %j', (none) => {
    expect(setting(none as Transform, 'raw').body.make()).toBe('raw');
  });

  it('shows a transform its answer on the config, as axios does, and takes it away', () => {
    const seen: unknown[] = [];
    const { config, response, body } = setting(function (this: unknown) {
      seen.push((this as { response?: unknown }).response);
    });
    body.make();
    expect(seen).toEqual([response]);
    expect(config).not.toHaveProperty('response');
  });

  it('is handed to axios once, and the transforms are put back', () => {
    const transforms = [parse()];
    const given = setting(transforms);
    const made = given.body.make();
    given.body.handOver(given.response);
    expect(axiosTakes(given)).toBe(made);
    expect(transforms[0]).toHaveBeenCalledTimes(1);
    expect(given.config.transformResponse).toBe(transforms);
  });

  it('leaves a config without transforms as it was', () => {
    const given = setting(undefined, 'raw');
    delete given.config.transformResponse;
    given.body.make();
    given.body.handOver(given.response);
    expect(axiosTakes(given)).toBe('raw');
    expect(given.config).not.toHaveProperty('transformResponse');
  });

  it('is left to axios where nobody asked, where it failed, and where the call ends with another answer', () => {
    const transform = parse();
    const unread = setting(transform);
    unread.body.handOver(unread.response);
    const failed = setting(transform, 'no JSON');
    expect(failed.body.make()).toBeUndefined();
    failed.body.handOver(failed.response);
    const other = setting(transform);
    other.body.make();
    other.body.handOver({ ...other.response });
    for (const { config } of [unread, failed, other]) expect(config.transformResponse).toBe(transform);
  });

  it('gives way to the transforms where somebody has changed the body since', () => {
    const given = setting(parse());
    given.body.make();
    given.body.handOver(given.response);
    given.response.data = '{"n":2}';
    expect(axiosTakes(given)).toEqual({ parsed: { n: 2 } });
  });

  it('is given to no second answer, where a config was sent again before axios came to take it', () => {
    const given = setting(parse());
    const made = given.body.make();
    given.body.handOver(given.response);
    const copy = { ...given, config: { ...given.config } };
    expect(axiosTakes(given)).toBe(made);
    const second = axiosTakes(copy);
    expect(second).toEqual(made);
    expect(second).not.toBe(made);
  });
});
