import axios, { type AxiosAdapter, AxiosError, type AxiosResponse } from 'axios';
import { attach, failureOf, reportOf } from 'axios-holdfast';
import { expect, it } from 'vitest';
import { axiosErrorOf } from '../support/attached.ts';

/** An adapter that gives one and the same object for every answer, and settles it as axios does. */
function recycling() {
  const answer = { status: 200, statusText: '', headers: {}, data: '', config: {} } as AxiosResponse;
  const adapter: AxiosAdapter = async (config) => {
    if (config.validateStatus?.(answer.status)) return answer;
    throw new AxiosError(String(answer.status), AxiosError.ERR_BAD_RESPONSE, config, undefined, answer);
  };
  const client = axios.create({ adapter, baseURL: 'https://api.example.com' });
  attach(client, { retry: false });
  return { client, answer };
}

it('tells of the last call that gave it: first a failure, then let through, then a success, then a failure', async () => {
  const { client, answer } = recycling();
  answer.status = 503;
  const error = await axiosErrorOf(client.get('/a'));
  expect(failureOf(error.response)).toMatchObject({ kind: 'unavailable', endedBecause: 'disabled' });

  await client.post('/b', '', { validateStatus: () => true });
  expect(reportOf(answer)).toMatchObject({ method: 'POST', endedBecause: 'disabled' });

  answer.status = 200;
  await client.put('/c', '');
  expect(reportOf(answer)).toMatchObject({ method: 'PUT', endedBecause: 'success' });
  expect(failureOf(answer)).toBeUndefined();

  answer.status = 404;
  await axiosErrorOf(client.delete('/d'));
  expect(reportOf(answer)).toMatchObject({ method: 'DELETE', endedBecause: 'not-retryable' });
  // The first error is an object of its own, and goes on telling of its own call.
  expect(reportOf(error)).toMatchObject({ method: 'GET' });
});
