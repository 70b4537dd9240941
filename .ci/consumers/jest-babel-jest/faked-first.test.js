// Timers are faked before anything is loaded, in an environment that is a page's.
import axios from 'axios';
import { attachForTest, manualClock, scripted } from 'axios-holdfast/testing';

test('the clock moves all the same', async () => {
  expect(setTimeout).toHaveProperty('clock');
  const clock = manualClock();
  const api = scripted([{ status: 429, headers: { 'retry-after': '30' } }, 200]);
  const client = axios.create({ baseURL: 'https://api.example.com', adapter: api });
  attachForTest(client, {}, { clock });
  expect((await clock.run(client.get('/'))).status).toBe(200);
  expect(clock.elapsedMs).toBe(30_000);
});
