/** The stand-in of the Partner API, and a client that gets through what it is put through. */
import { startPartnerApi } from '../partner-api/server.ts';
import { connect } from './client.ts';
import { QUOTA, STORY } from './story.ts';
import type { Moment } from './timeline.ts';
import { watch } from './watch.ts';

/** Whether client and server agree in the end on what has happened. */
export async function playPartnerApi(tell: (moment: Moment) => void): Promise<boolean> {
  const server = await startPartnerApi({ requireAuth: true, quota: QUOTA });
  const { client, holdfast } = connect(server.url);
  const answers = watch(client, holdfast, tell);
  for (const { title, play } of STORY) {
    tell({ kind: 'chapter', title });
    await play(client, server);
  }

  const { sends, refreshes } = holdfast.stats();
  const { requests, byStatus, ordersCreated, refreshes: granted } = server.counters;
  answers[200] = (answers[200] ?? 0) + refreshes; // the token endpoint's, which no event tells of
  const totals = [
    { what: 'requests', client: sends + refreshes, server: requests },
    ...Object.keys({ ...answers, ...byStatus }).map((status) => ({
      what: `answers ${status}`,
      client: answers[Number(status)],
      server: byStatus[Number(status)],
    })),
    { what: 'token refreshes', client: refreshes, server: granted },
    { what: 'orders placed', client: 2, server: ordersCreated },
  ];
  const agree = totals.every((total) => total.client === total.server);
  tell({ kind: 'chapter', title: `Totals: client and server ${agree ? 'agree' : 'DIFFER'}` });
  for (const total of totals) console.log(`  ${total.what}: client ${total.client ?? 0}, server ${total.server ?? 0}`);
  await holdfast.close();
  await server.close();
  return agree;
}
