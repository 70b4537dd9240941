/** A line for each family that has a stand-in: `npm start -- <name>` shows it. */
import {
  anthropic as anthropicPreset,
  azureManagement as azureManagementPreset,
  discord as discordPreset,
  github as githubPreset,
  google as googlePreset,
  hubspot as hubspotPreset,
  jira as jiraPreset,
  microsoftGraph as microsoftGraphPreset,
  notion as notionPreset,
  openai as openaiPreset,
  type Preset,
  salesforce as salesforcePreset,
  shopify as shopifyPreset,
  slack as slackPreset,
  stripe as stripePreset,
  twilio as twilioPreset,
  zendesk as zendeskPreset,
} from 'axios-holdfast/presets';
import { anthropic } from './families/anthropic.ts';
import { azureManagement } from './families/azure-management.ts';
import { discord } from './families/discord.ts';
import { github } from './families/github.ts';
import { google } from './families/google.ts';
import { hubspot } from './families/hubspot.ts';
import { jira } from './families/jira.ts';
import { microsoftGraph } from './families/microsoft-graph.ts';
import { notion } from './families/notion.ts';
import { openai } from './families/openai.ts';
import { salesforce } from './families/salesforce.ts';
import { shopify } from './families/shopify.ts';
import { slack } from './families/slack.ts';
import { stripe } from './families/stripe.ts';
import { twilio } from './families/twilio.ts';
import { zendesk } from './families/zendesk.ts';
import type { Family } from './family.ts';

export const FAMILIES: { readonly [name: string]: readonly [family: Family, preset: Preset] } = {
  anthropic: [anthropic, anthropicPreset],
  azureManagement: [azureManagement, azureManagementPreset],
  discord: [discord, discordPreset],
  github: [github, githubPreset],
  google: [google, googlePreset],
  hubspot: [hubspot, hubspotPreset],
  jira: [jira, jiraPreset],
  microsoftGraph: [microsoftGraph, microsoftGraphPreset],
  notion: [notion, notionPreset],
  openai: [openai, openaiPreset],
  salesforce: [salesforce, salesforcePreset],
  shopify: [shopify, shopifyPreset],
  slack: [slack, slackPreset],
  stripe: [stripe, stripePreset],
  twilio: [twilio, twilioPreset],
  zendesk: [zendesk, zendeskPreset],
};
