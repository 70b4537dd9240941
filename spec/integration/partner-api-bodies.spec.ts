import { failureOf } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { axiosErrorOf } from '../support/attached.ts';
import { partner } from '../support/partner-api.ts';

/** The error that the body of an answer is read into. */
async function read(body: unknown, status = 403) {
  const { server, client } = await partner();
  server.script({ kind: 'answer', status, body });
  return failureOf(await axiosErrorOf(client.get('/v1/customers')))?.api;
}

describe('the documented error bodies', () => {
  it('are read with an `error` and its `innerError`', async () => {
    const error = {
      code: 'unAuthorized',
      message: 'Caller is not authorized to access the resource.',
      target: 'referral',
      innerError: { code: 'innerErrorCode', message: 'Unauthorized referral access' },
    };

    expect(await read({ error }, 401)).toEqual({
      shape: 'nested',
      code: 'unAuthorized',
      message: 'Caller is not authorized to access the resource.',
      target: 'referral',
      details: [],
      inner: {
        shape: 'nested',
        code: 'innerErrorCode',
        message: 'Unauthorized referral access',
        target: undefined,
        details: [],
        inner: undefined,
        raw: error.innerError,
      },
      raw: error,
    });
  });

  it('are read flat, with `code`, `description`, `data` and `source`', async () => {
    const body = {
      code: '900308',
      description: 'The caller lacks the privileges.',
      data: ['a', 1],
      source: 'PartnerAPI',
    };
    expect(await read(body)).toEqual({
      shape: 'flat',
      code: '900308',
      message: 'The caller lacks the privileges.',
      source: 'PartnerAPI',
      details: ['a', 1],
      raw: body,
    });
  });

  it('are read in the legacy variant', async () => {
    const body = {
      code: '900308',
      description: 'No.',
      data: { status: '403' },
      Source: 'PartnerAPI',
      other_errors: [{ error_code: '1', message: 'Nor this.', parameters: {} }],
    };
    expect(await read(body)).toMatchObject({
      shape: 'legacy',
      code: '900308',
      message: 'No.',
      source: 'PartnerAPI',
      details: [body.data, ...body.other_errors],
    });
  });

  it("are read of the gateway's 429", async () => {
    const body = { statusCode: 429, message: 'Rate limit is exceeded. Try again in 157 seconds.' };
    expect(await read(body, 429)).toMatchObject({ shape: 'gateway', code: '429', message: body.message });
  });

  it('are read with the longest message that is documented', async () => {
    const message = 'x'.repeat(1_024);
    expect(await read({ error: { code: 'a', message } })).toMatchObject({ message });
  });
});
