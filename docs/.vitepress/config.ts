import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type DefaultTheme, defineConfig } from 'vitepress';
import llmstxt from 'vitepress-plugin-llms';

const reference: DefaultTheme.SidebarItem[] = JSON.parse(
  readFileSync(new URL('../.site/docs/reference/typedoc-sidebar.json', import.meta.url), 'utf8'),
);

const lib = fileURLToPath(new URL('../../lib/', import.meta.url));

/** Pages under a heading, by their addresses. */
const section = (text: string, pages: Readonly<Record<string, string>>): DefaultTheme.SidebarItem => ({
  text,
  items: Object.entries(pages).map(([link, title]) => ({ text: title, link })),
});

const guides: DefaultTheme.SidebarItem[] = [
  { text: 'Start', link: '/' },
  section('Retrying', {
    '/docs/retrying': 'What, when, how long',
    '/docs/answers': 'Your own word on an answer',
    '/docs/breaker': 'Circuit breaker',
  }),
  section('Limits', {
    '/docs/limits': 'Limits',
    '/docs/limits-several': 'Weights and several limits',
    '/docs/limits-learnt': 'Learning a quota',
    '/docs/fleets': 'Fleets on Redis',
  }),
  section('Tokens', {
    '/docs/tokens': 'Tokens',
    '/docs/tokens-shared': 'Sharing a token',
  }),
  section('See what happens', {
    '/docs/failures': 'Failures and logs',
    '/docs/telemetry': 'Telemetry',
    '/docs/troubleshooting': 'Troubleshooting',
  }),
  section('Fit it in', {
    '/docs/presets': 'Presets of vendors',
    '/docs/presets-own': 'A preset of your own',
    '/docs/partner-api': 'The Partner API',
    '/docs/testing': 'Testing',
    '/docs/interceptors': 'Order of interceptors',
    '/docs/who-retries': 'Who retries?',
    '/docs/migrating': 'Leaving the others',
  }),
  section('Look it up', {
    '/docs/options': 'Options and defaults',
    '/docs/notes': 'Good to know',
    '/docs/faq': 'Questions',
    '/docs/performance': 'Performance',
    '/docs/weight': 'Weight',
    '/benchmarks/RESULTS': 'All results',
    '/SECURITY': 'Security',
  }),
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
