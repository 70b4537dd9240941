import { ManualClock as PublicClock } from '../../lib/testing/manual-clock.ts';

export { turn as settle } from '../../lib/testing/turn.ts';

/** The clock of `axios-holdfast/testing`, which remembers what was asked of it. */
export class ManualClock extends PublicClock {
  /** Of every timer, how far away it was set, in ms. */
  readonly asked: number[] = [];

  override after(ms: number, fire: () => void): () => void {
    this.asked.push(ms);
    return super.after(ms, fire);
  }
}
