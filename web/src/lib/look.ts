// Light or dark, where somebody wants another one here than elsewhere on their device.
import { remember, remembered } from './remembered';

export type Look = 'system' | 'light' | 'dark';

export const chosenLook = (): Look => remembered<Look>('look', 'system');

export function choose(look: Look): void {
  remember('look', look);
  show();
}

/** To be called before anything is drawn. */
export function show(): void {
  document.documentElement.dataset['look'] = chosenLook();
}
