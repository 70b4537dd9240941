/** The stand-in server, and a client that gets through what it is put through, drawn as it happens. `npm start` runs it. */
import { failureOf, reportOf } from 'axios-holdfast';
import { connect } from './demo/client.ts';
import { QUOTA, STORY } from './demo/story.ts';
import { draw, type Moment, msPerColumn, type Screen } from './demo/timeline.ts';
import { startPartnerApi } from './partner-api/server.ts';

const { env, stdout } = process;
const forced = env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0';
const screen: Screen = {
  columns: (stdout.columns ?? Number(env.COLUMNS)) || 100,
  colour: env.NO_COLOR ? false : forced || (stdout.isTTY === true && env.FORCE_COLOR !== '0'),
};

const server = await startPartnerApi({ requireAuth: true, quota: QUOTA });
const { client, holdfast } = connect(server.url);
const beganAt = Date.now();
const tell = (moment: Moment) => console.log(draw(moment, Date.now() - beganAt, screen));

const numbers = new Map<string, number>();
const numberOf = ({ id }: { id: string }) => {
  const number = numbers.get(id) ?? numbers.size + 1;
  numbers.set(id, number);
  return number;
};
holdfast.on('sent', ({ call, send }) => {
  if (send === 1) tell({ kind: 'call', call: numberOf(call), method: call.method, path: new URL(call.url).pathname });
});
const answers: Record<number, number> = {};
holdfast.on('answered', ({ call, send, status, code, verdict, reason }) => {
  if (status !== undefined) answers[status] = (answers[status] ?? 0) + 1;
  const result = [status ?? code ?? '', verdict, reason === code ? '' : reason].filter(Boolean).join(' ');
  tell({ kind: 'send', call: numberOf(call), send, result, ok: verdict === 'success' });
});
holdfast.on('retry-scheduled', ({ call, delayMs, verdict }) =>
  tell({ kind: 'wait', call: numberOf(call), ms: delayMs, why: verdict }),
);
holdfast.on('refreshed', ({ durationMs }) => tell({ kind: 'refresh', ms: durationMs, ok: true }));
holdfast.on('refresh-failed', ({ durationMs }) => tell({ kind: 'refresh', ms: durationMs, ok: false }));
client.interceptors.response.use(undefined, (error) => {
  const summary = failureOf(error)?.summary;
  if (summary !== undefined) tell({ kind: 'failure', call: numberOf({ id: reportOf(error)?.id ?? '' }), summary });
  throw error;
});

console.log(`A column of a bar is ${msPerColumn(screen)} ms.`);
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
process.exitCode = agree ? 0 : 1;
