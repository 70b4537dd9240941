import type { Theme } from 'vitepress';
import DefaultTheme from 'vitepress/theme';
import Playground from '../../playground/playground.vue';

export default {
  extends: DefaultTheme,
  enhanceApp: ({ app }) => void app.component('Playground', Playground),
} satisfies Theme;
