import { svelte } from '@sveltejs/vite-plugin-svelte';
import { loadEnv } from 'vite';
import { defineConfig } from 'vitest/config';
import { compressed } from './compressed.ts';
import { emojiData } from './emoji-data.ts';

// The server serves what is built here; while developing, `npm run dev` passes its API through.
const server = loadEnv('', '.', 'FOLKMOOT_').FOLKMOOT_URL ?? 'http://localhost:8000';

export default defineConfig({
  plugins: [emojiData(), svelte(), compressed()],
  build: {
    outDir: '../src/folkmoot/surfaces/pages/dist',
    emptyOutDir: true,
    // The Content-Security-Policy forbids data: scripts and styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // hls.js, which only browsers without our kind of streaming load.
    chunkSizeWarningLimit: 600,
    // Few files: each that comes beside another is a connection more, which may be dead when the network is back.
    cssCodeSplit: false,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'shared', test: /web\/(src|node_modules\/svelte)/, minShareCount: 3 },
            // Of a Space's page and of the bar: nobody needs it before the first Space.
            { name: 'stage', test: /web\/src\/(lib\/(sound|spaces)|components\/Mic)/, minShareCount: 2 },
          ],
        },
      },
    },
  },
  server: { proxy: { '/api': server, '/oauth': server, '/media': server, '/static': server } },
  test: { environment: 'jsdom', include: ['src/**/*.test.ts'] },
});
