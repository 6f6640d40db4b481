// How many notifications nobody has looked at, for the badge.
import { countUnread } from './api/reading';
import { session } from './session.svelte';
import { streaming } from './streaming.svelte';

const LOOK_EVERY_MS = 60_000;

class Unread {
  count = $state(0);
  /** How often the stream told of one: who shows them looks again. */
  told = $state(0);

  /** For an effect of the whole client. */
  watch(): (() => void) | undefined {
    if (!session.active) return undefined;
    void this.look();
    const unfollow = streaming.follow('user:notification', ({ event }) => {
      if (event !== 'notification') return;
      this.told++;
      void this.look();
    });
    const timer = setInterval(
      () => document.visibilityState === 'visible' && void this.look(),
      LOOK_EVERY_MS,
    );
    return () => {
      unfollow();
      clearInterval(timer);
    };
  }

  async look(): Promise<void> {
    try {
      this.count = await countUnread();
    } catch {
      // A badge is not worth a sentence.
      this.count = 0;
    }
  }
}

export const unread = new Unread();
