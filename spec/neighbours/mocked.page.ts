/** A page whose network msw's service worker answers. */
import axios from 'axios';
import { HttpResponse, http } from 'msw';
import { setupWorker } from 'msw/browser';
import { attach, reportOf } from '../../lib/index.ts';

let seen = 0;
const worker = setupWorker(
  http.get('*/mocked/orders', ({ request }) => {
    seen += 1;
    if (seen === 1) return new HttpResponse(null, { status: 503 });
    if (seen === 2) return new HttpResponse(null, { status: 429, headers: { 'retry-after': '0' } });
    if (seen === 3) return HttpResponse.error();
    return HttpResponse.json({ seen, url: new URL(request.url).pathname });
  }),
);

/** What came of a call, and the status or the code of each of its sends. */
export async function call(adapter: 'xhr' | 'fetch') {
  seen = 0;
  await worker.start({ quiet: true, onUnhandledRequest: 'bypass' });
  const client = axios.create({ adapter });
  const attachment = attach(client, { retry: { backoff: () => 1 } });
  const response = await client.get<{ seen: number; url: string }>('/mocked/orders');
  const sends = reportOf(response)?.sends.map(({ status, code }) => status ?? code);
  await attachment.close();
  worker.stop();
  return { data: response.data, sends };
}
