/** @module axios-holdfast/testing */

export { attachForTest, type TestPorts } from './testing/attach-for-test.ts';
export { expectNoEarlySend } from './testing/expect-no-early-send.ts';
export { expectOneRefresh } from './testing/expect-one-refresh.ts';
export { type ManualClock, manualClock } from './testing/manual-clock.ts';
export {
  type Scripted,
  type ScriptedAnswer,
  type ScriptedAnswers,
  type ScriptedOptions,
  type ScriptedRoutes,
  type ScriptedSend,
  scripted,
} from './testing/scripted.ts';
export { withoutWaits } from './testing/without-waits.ts';
