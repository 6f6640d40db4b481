// What is loaded when it is needed: a dialog, a picker.
import { toasts } from './toasts.svelte';

export const sayUnloaded = (): void =>
  toasts.say('This could not be loaded. Check your connection and try again.', true);

/** For {#await}. Where it does not come, that is said, and `takeBack` ends the wish: the next press asks again. */
export const loaded = <Module>(coming: Promise<Module>, takeBack: () => void): Promise<Module> =>
  new Promise((resolve) => {
    coming.then(resolve, () => {
      takeBack();
      sayUnloaded();
    });
  });
