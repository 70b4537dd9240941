import * as presets from 'axios-holdfast/presets';
import { describe, expect, it } from 'vitest';
import { documentedWorld, needsRedis } from '../support/documented.ts';
import { bare, checkBlocks, pageOf } from '../support/pages.ts';

const page = pageOf('docs/presets.md');
/** What the entry has besides presets. */
const FORM = ['ENVOY_RULES', 'definePreset', 'serverSays'];

describe('docs/presets.md', () => {
  checkBlocks(page, documentedWorld, needsRedis);

  it('has a row for every preset, and no other', () => {
    const rows = page.table('presets').map(([name = '']) => bare(name));
    expect(rows).toEqual(
      Object.keys(presets)
        .filter((name) => !FORM.includes(name))
        .sort(),
    );
  });
});
