import axios from 'axios';
import { attach } from 'axios-holdfast';
import { withoutWaits } from 'axios-holdfast/testing';
import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkBlocks, pageOf } from '../support/pages.ts';

const page = pageOf('docs/testing.md');

describe('the blocks of docs/testing.md', () => {
  // Nothing leaves the process.
  checkBlocks(page, async () => ({ replaced: [] }));

  it('show every name of the kit', async () => {
    const names = Object.keys(await import('axios-holdfast/testing'));
    for (const name of names) expect(page.text).toContain(name);
  });
});

it('a suite with msw needs no clock, as docs/testing.md says', async () => {
  let n = 0;
  const answer = () => new HttpResponse(null, { status: n++ === 0 ? 503 : 200, headers: { 'retry-after': '30' } });
  const server = setupServer(http.get('https://api.example.com/', answer));
  server.listen();
  onTestFinished(() => server.close());
  const client = axios.create({ baseURL: 'https://api.example.com' });
  attach(client, withoutWaits());
  expect((await client.get('/')).status).toBe(200);
});
