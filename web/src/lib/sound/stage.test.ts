import { afterEach, expect, it, vi } from 'vitest';
import { loadPage } from '../pages';
import { session } from '../session.svelte';
import { stage } from './stage.svelte';

afterEach(() => vi.unstubAllGlobals());

function answering(standing: string | null): void {
  const account = standing && { id: '1' };
  vi.stubGlobal('fetch', () =>
    Promise.resolve(new Response(JSON.stringify({ account, standing, reason: '' }))),
  );
}

it('is over with the session, whatever else is loaded', async () => {
  answering('active');
  await session.refresh();
  stage.status = 'on';
  await Promise.resolve();
  expect(stage.status).toBe('on');
  answering(null);
  await session.refresh();
  await vi.waitFor(() => expect(stage.status).toBe('off'));
});

// All that a Space's page is made of is compiled for it.
it('comes with the bar that mutes and leaves', { timeout: 60_000 }, async () => {
  expect(await loadPage({ name: 'space', id: '1' })).toHaveProperty('SoundBar');
});
