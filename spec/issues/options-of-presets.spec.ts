import axios from 'axios';
import { attach, InvalidPolicyError, mergePolicies } from 'axios-holdfast';
import {
  definePreset,
  github,
  openai,
  type Preset,
  type PresetOptions,
  partnerApi,
  shopify,
  stripe,
} from 'axios-holdfast/presets';
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

  it('an option that it does not have, since a misspelt account would be no account', () => {
    const has = '(a policy is laid over it by mergePolicies; its own options: account';
    expect(said(github, { acount: 'x' })).toContain(
      `github(options).acount is not an option; did you mean account? ${has})`,
    );
    expect(said(github, { retry: false })).toContain(`github(options).retry is not an option ${has})`);
    expect(said(stripe, { sandbx: true })).toContain(
      `stripe(options).sandbx is not an option; did you mean sandbox? ${has}, sandbox)`,
    );
  });

  it('no option of its own', () => {
    expect(said(stripe, { sandbox: true, account: 'a' })).toBe('');
    expect(said(partnerApi, { strict: true, rest: true, tenant: 'a', account: 'b' })).toBe('');
    expect(said(shopify, { queryCost: () => 1 })).toBe('');
    expect(said(openai, { tokensPerMinute: 1_000 })).toBe('');
  });

  it('that of a team takes what it names, and anything where it names nothing', () => {
    const source = 'https://acme.example/docs';
    const naming = definePreset<PresetOptions & { readonly region?: string }>(({ region }) => ({
      name: 'acme',
      options: ['region'],
      api: () => region ?? 'eu',
      source,
    }));
    expect(said(naming, { region: 'us' })).toBe('');
    expect(said(naming, { regio: 'us' })).toContain('acme(options).regio is not an option; did you mean region?');
    const silent = definePreset<PresetOptions & { readonly region?: string }>(({ region }) => ({
      name: 'acme',
      api: () => region ?? 'eu',
      source,
    }));
    expect(said(silent, { regio: 'us' })).toBe('');
    expect(said(definePreset({ name: 'plain', source }), { region: 'us' })).toContain('plain(options).region is not');
  });

  it.each([undefined, {}, { account: undefined }, { account: 'contoso' }, { account: () => 'contoso' }])(
    '%j is well',
    (options) => expect(said(github, options)).toBe(''),
  );
});

describe('what is laid over the limits of a preset', () => {
  const limitsOf = (limit: object) => [mergePolicies(github(), { limit }).limit].flat();

  it('goes to each of them, where it says who goes first or how long one waits', () => {
    const priority = () => 1;
    expect(limitsOf({ maxWaitMs: 1_000, priority })).toHaveLength(limitsOf({}).length);
    for (const each of limitsOf({ maxWaitMs: 1_000, priority }))
      expect(each).toMatchObject({ maxWaitMs: 1_000, priority });
  });

  it('takes the place of all of them, where it is any number besides', () => {
    expect(limitsOf({ maxQueue: 5 })).toEqual([{ maxQueue: 5 }]);
  });
});
