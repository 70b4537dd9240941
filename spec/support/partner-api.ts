import axios, { type AxiosInstance } from 'axios';
import { type Attachment, type Policy, partnerApi } from 'axios-holdfast';
import { onTestFinished } from 'vitest';
import { type PartnerApi, type PartnerApiOptions, startPartnerApi } from '../../examples/partner-api/server.ts';
import { attachWith } from '../../lib/full.ts';
import { runThrough } from './by-hand.ts';
import { ManualClock, settle } from './manual-clock.ts';

export interface Partner {
  readonly server: PartnerApi;
  readonly client: AxiosInstance;
  readonly holdfast: Attachment;
  readonly clock: ManualClock;
  /** Every wait between sends so far, in ms. None of them takes time. */
  readonly delays: readonly number[];
}

/** The stand-in server, and a client of it under the preset. The waits are moved by hand, the rest is real HTTP. */
export async function partner(policy: Policy = partnerApi(), options: PartnerApiOptions = {}): Promise<Partner> {
  const server = await startPartnerApi(options);
  onTestFinished(() => server.close());
  const client = axios.create({ baseURL: server.url });
  const clock = new ManualClock();
  const holdfast = attachWith({ clock, random: () => 0.5 }, client, policy);
  // What the learnt limit holds back, until a permit or an answer is what it waits for.
  const passTheQueue = async () => {
    await settle();
    if (holdfast.stats().queued > 0) await clock.advance(clock.nextIn ?? 0);
  };
  holdfast.on('queued', passTheQueue);
  holdfast.on('finished', passTheQueue);
  return { server, client, holdfast, clock, delays: runThrough({ clock, holdfast }) };
}

/** What the server saw in a header, request by request. */
export function seen({ log }: PartnerApi, header: string): (string | undefined)[] {
  return log.map(({ headers }) => headers[header.toLowerCase()]);
}
