import { failureOf, reportOf } from 'axios-holdfast';
import { expect, it } from 'vitest';
import { attached, axiosErrorOf, status } from '../support/attached.ts';

/** A proxy that gives proxies of all objects in it, as Vue's `reactive` does. */
function reactive<T extends object>(target: T): T {
  return new Proxy(target, {
    get(from, name) {
      const value: unknown = Reflect.get(from, name);
      return typeof value === 'object' && value !== null ? reactive(value) : value;
    },
  });
}

it('an error in reactive state tells of its call as before', async () => {
  const { client } = await attached(status(404));
  const error = await axiosErrorOf(client.get('/'));
  expect(failureOf(reactive(error))).toEqual(failureOf(error));
  expect(reportOf(reactive(error))).toEqual(reportOf(error));
  expect(reportOf(reactive({ error }).error)).toMatchObject({ endedBecause: 'not-retryable' });
});

it('so does a bad response that `validateStatus` let through', async () => {
  const { client } = await attached(status(503), { retry: false });
  const response = await client.get('/', { validateStatus: () => true });
  expect(failureOf(reactive(response))).toMatchObject({ kind: 'unavailable' });
  expect(reportOf(reactive(response))).toEqual(reportOf(response));
});
