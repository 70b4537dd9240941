/** `npm start` runs the demo and lists the examples; `npm start -- orders` runs one, `npm start -- github` shows a preset. */
import { existsSync, readFileSync } from 'node:fs';
import { FAMILIES } from './stand-in/families.ts';

const EXAMPLES = [
  'demo',
  'quick-start',
  'orders',
  'nightly-export',
  'fleet',
  'oauth2',
  'language-model',
  'browser',
  'second-region',
] as const;

const here = (name: string) => new URL(`${name}.ts`, import.meta.url);
const [name = 'demo'] = process.argv.slice(2);

if (Object.hasOwn(FAMILIES, name)) await import(here('demo').href);
else if (existsSync(here(name))) await import(here(name).href);
else {
  console.error(`There is no example ${name}.`);
  process.exitCode = 1;
}
if (name === 'demo' || process.exitCode === 1) list();

function list(): void {
  console.log('\nMore of it, each one file in examples/:\n');
  for (const example of EXAMPLES) {
    const [, purpose = ''] = /^\/\*\*\s+\*?\s*(.*?)(?:\.\s|\*\/)/s.exec(readFileSync(here(example), 'utf8')) ?? [];
    console.log(`  npm start -- ${example.padEnd(16)} ${purpose.replace(/\s+\*?\s*/g, ' ').trim()}`);
  }
  console.log(`\nA preset against a server that throttles as its vendor does: ${Object.keys(FAMILIES).join(', ')}`);
}
