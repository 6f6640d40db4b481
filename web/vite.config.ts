import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// The server serves what is built here; while developing, `npm run dev` passes its API through.
const server = process.env.FOLKMOOT_URL ?? 'http://localhost:8000';

export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: '../src/folkmoot/surfaces/pages/dist',
    emptyOutDir: true,
    // The Content-Security-Policy forbids data: scripts and styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': server, '/oauth': server, '/media': server, '/static': server } },
  test: { environment: 'jsdom', include: ['src/**/*.test.ts'] },
});
