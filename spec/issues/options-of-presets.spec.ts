import axios from 'axios';
import { attach, InvalidPolicyError } from 'axios-holdfast';
import { github, type Preset, partnerApi } from 'axios-holdfast/presets';
import { describe, expect, it } from 'vitest';

/** Without types, as a program in JavaScript calls it. */
const said = (preset: Preset<never>, options: unknown): string => {
  try {
    attach(axios.create(), preset(options as never));
  } catch (error) {
    if (error instanceof InvalidPolicyError) return error.message;
    throw error;
  }
  return '';
};

describe('what a preset is given is checked, so that no account shares the quota of another by mistake', () => {
  it.each([
    ['an account in the place of the options', 'contoso', 'a plain object such as { account }, got a string'],
    ['null', null, 'a plain object such as { account }, got null'],
    ['a list', ['contoso'], 'a plain object such as { account }, got an array'],
  ])('%s', (_, options, message) => {
    expect(said(github, options)).toContain(`github(options) must be ${message}`);
    expect(said(partnerApi, options)).toContain(`partnerApi(options) must be ${message}`);
  });

  it('an account that is a number', () => {
    expect(said(github, { account: 7 })).toContain('github(options).account must be a text or a function, got 7');
  });

  it.each([undefined, {}, { account: undefined }, { account: 'contoso' }, { account: () => 'contoso' }])(
    '%j is well',
    (options) => expect(said(github, options)).toBe(''),
  );
});
