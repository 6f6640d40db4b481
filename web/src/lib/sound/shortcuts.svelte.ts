// Whether letters are keys of the player, and whether their list is open.
import { remember, remembered } from '../remembered';

const NAME = 'shortcuts';

class Shortcuts {
  /** Speech input and some screen readers type letters by accident: they can be switched off (WCAG 2.1.4). */
  on = $state(remembered(NAME, true));
  listed = $state(false);

  set(on: boolean): void {
    this.on = on;
    remember(NAME, on);
  }
}

export const shortcuts = new Shortcuts();
