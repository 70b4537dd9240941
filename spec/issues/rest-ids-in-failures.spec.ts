import axios from 'axios';
import { attach, failureOf } from 'axios-holdfast';
import { expect, it } from 'vitest';
import { axiosErrorOf } from '../support/attached.ts';
import { loopback } from '../support/loopback.ts';

/** `request-id` is the request's own in most APIs and the call's in the Partner API's REST family. */
it("does not take the call's id for the request's where the policy says which header is which", async () => {
  const server = await loopback((_request, response) => {
    response.writeHead(404, { 'request-id': 'of-the-call', 'client-request-id': 'of-the-request' }).end();
  });
  const client = axios.create({ baseURL: server.url });
  attach(client, { correlation: { header: 'request-id', generate: () => 'of-the-call' } });
  const failure = failureOf(await axiosErrorOf(client.get('/')));
  await server.close();
  expect(failure).toMatchObject({ requestId: 'of-the-request', correlationId: 'of-the-call' });
});
