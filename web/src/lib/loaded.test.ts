import { expect, it, vi } from 'vitest';
import { loaded } from './loaded';
import { toasts } from './toasts.svelte';

it('is there, or was not asked for: the next press asks again', async () => {
  const takeBack = vi.fn();
  expect(await loaded(Promise.resolve('a dialog'), takeBack)).toBe('a dialog');
  expect(takeBack).not.toHaveBeenCalled();
  void loaded(Promise.reject(new TypeError('Failed to fetch dynamically imported module')), takeBack);
  await vi.waitFor(() => expect(takeBack).toHaveBeenCalledOnce());
  expect(toasts.shown.map(({ sentence }) => sentence)).toEqual([expect.stringContaining('try again')]);
});
