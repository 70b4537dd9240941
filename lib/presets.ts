/**
 * Policies for families of APIs, and what teams make their own with.
 *
 * @module axios-holdfast/presets
 */

export { anthropic } from './presets/anthropic.ts';
export { azureManagement } from './presets/azure-management.ts';
export {
  definePreset,
  type Meaning,
  type Preset,
  type PresetData,
  type PresetLimit,
  type PresetOptions,
  type PresetRule,
} from './presets/define-preset.ts';
export { discord } from './presets/discord.ts';
export { github } from './presets/github.ts';
export { google } from './presets/google.ts';
export { hubspot } from './presets/hubspot.ts';
export { jira } from './presets/jira.ts';
export { microsoftGraph } from './presets/microsoft-graph.ts';
export { notion } from './presets/notion.ts';
export { type OpenAiOptions, openai } from './presets/openai.ts';
export { type PartnerApiOptions, partnerApi } from './presets/partner-api.ts';
export { salesforce } from './presets/salesforce.ts';
export { ENVOY_RULES, serverSays } from './presets/server-says.ts';
export { type ShopifyOptions, shopify } from './presets/shopify.ts';
export { slack } from './presets/slack.ts';
export { type StripeOptions, stripe } from './presets/stripe.ts';
export { twilio } from './presets/twilio.ts';
export { zendesk } from './presets/zendesk.ts';
