/**
 * The stand-in server, and a client that gets through what it is put through, drawn as it happens. `npm start` runs it; `npm start -- github`
 * shows a preset against the stand-in of its family.
 */
import { playFamily } from './demo/family.ts';
import { playPartnerApi } from './demo/partner-api.ts';
import { draw, type Moment, msPerColumn, type Screen } from './demo/timeline.ts';

const { argv, env, stdout } = process;
const forced = env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0';
const screen: Screen = {
  columns: (stdout.columns ?? Number(env.COLUMNS)) || 100,
  colour: env.NO_COLOR ? false : forced || (stdout.isTTY === true && env.FORCE_COLOR !== '0'),
};

const beganAt = Date.now();
const tell = (moment: Moment) => console.log(draw(moment, Date.now() - beganAt, screen));
console.log(`A column of a bar is ${msPerColumn(screen)} ms.`);
const [, , family = 'demo'] = argv;
const agree = family === 'demo' ? await playPartnerApi(tell) : await playFamily(family, tell);
process.exitCode = agree ? 0 : 1;
