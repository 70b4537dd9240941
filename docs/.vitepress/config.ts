import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type DefaultTheme, defineConfig } from 'vitepress';
import llmstxt from 'vitepress-plugin-llms';

const reference: DefaultTheme.SidebarItem[] = JSON.parse(
  readFileSync(new URL('../.site/docs/reference/typedoc-sidebar.json', import.meta.url), 'utf8'),
);

const lib = fileURLToPath(new URL('../../lib/', import.meta.url));

const guides: DefaultTheme.SidebarItem[] = [
  { text: 'Start', link: '/' },
  {
    text: 'Retrying',
    items: [
      { text: 'What, when, how long', link: '/docs/retrying' },
      { text: 'Your own word on an answer', link: '/docs/answers' },
      { text: 'Circuit breaker', link: '/docs/breaker' },
    ],
  },
  {
    text: 'Limits',
    items: [
      { text: 'Limits', link: '/docs/limits' },
      { text: 'Weights and several limits', link: '/docs/limits-several' },
      { text: 'Learning a quota', link: '/docs/limits-learnt' },
      { text: 'Fleets on Redis', link: '/docs/fleets' },
    ],
  },
  {
    text: 'Tokens',
    items: [
      { text: 'Tokens', link: '/docs/tokens' },
      { text: 'Sharing a token', link: '/docs/tokens-shared' },
    ],
  },
  {
    text: 'See what happens',
    items: [
      { text: 'Failures and logs', link: '/docs/failures' },
      { text: 'Telemetry', link: '/docs/telemetry' },
      { text: 'Troubleshooting', link: '/docs/troubleshooting' },
    ],
  },
  {
    text: 'Fit it in',
    items: [
      { text: 'Presets of vendors', link: '/docs/presets' },
      { text: 'A preset of your own', link: '/docs/presets-own' },
      { text: 'The Partner API', link: '/docs/partner-api' },
      { text: 'Testing', link: '/docs/testing' },
      { text: 'Order of interceptors', link: '/docs/interceptors' },
      { text: 'Who retries?', link: '/docs/who-retries' },
      { text: 'Leaving the others', link: '/docs/migrating' },
    ],
  },
  {
    text: 'Look it up',
    items: [
      { text: 'Options and defaults', link: '/docs/options' },
      { text: 'Good to know', link: '/docs/notes' },
      { text: 'Questions', link: '/docs/faq' },
      { text: 'Performance', link: '/docs/performance' },
      { text: 'Weight', link: '/docs/weight' },
      { text: 'All results', link: '/benchmarks/RESULTS' },
      { text: 'Security', link: '/SECURITY' },
    ],
  },
];

/** Everything that the site loads is part of it: it makes no request to anybody else. */
export default defineConfig({
  title: 'axios-holdfast',
  description: 'Attach to an existing axios instance: throttling, short outages and expired tokens are dealt with.',
  lang: 'en',
  srcDir: '.site',
  outDir: './.vitepress/dist',
  rewrites: { 'README.md': 'index.md' },
  cleanUrls: false,
  lastUpdated: false,
  markdown: {
    config: (md) => {
      // What is no page, such as a spec, has no address here.
      md.core.ruler.push('links to files', ({ tokens }) => {
        for (const { children } of tokens) {
          let isFile = false;
          for (const token of children ?? []) {
            if (token.type === 'link_open')
              isFile = /^(?!\w+:|#|\/)[^#]*\.(?!md\b)\w+$/.test(token.attrGet('href') ?? '');
            if (isFile && token.type.startsWith('link_')) token.tag = 'span';
            if (isFile && token.type === 'link_open') token.attrs = [['class', 'file']];
          }
        }
      });
    },
  },
  vite: {
    resolve: {
      alias: [
        { find: /^axios-holdfast$/, replacement: `${lib}index.ts` },
        { find: /^axios-holdfast\/(.+)$/, replacement: `${lib}$1.ts` },
      ],
    },
    worker: { format: 'es' },
    plugins: [llmstxt({ excludeIndexPage: false, ignoreFiles: ['CHANGELOG.md', 'docs/playground.md'] })],
  },
  themeConfig: {
    nav: [
      { text: 'Guides', link: '/docs/retrying' },
      { text: 'Reference', link: '/docs/reference/' },
      { text: 'Performance', link: '/docs/performance' },
      { text: 'Playground', link: '/docs/playground' },
    ],
    sidebar: [...guides, { text: 'Reference', link: '/docs/reference/', collapsed: true, items: reference }],
    outline: [2, 3],
    search: { provider: 'local' },
  },
});
