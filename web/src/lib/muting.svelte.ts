// The question how somebody is muted: until when, and whether one is told of what they do.
import type { Account, Relationship } from './mastodon-types';

export interface Muted {
  account: Account;
  onchanged: (now: Relationship) => void;
}

class Muting {
  now = $state.raw<Muted | null>(null);

  ask(account: Account, onchanged: Muted['onchanged'] = () => undefined): void {
    this.now = { account, onchanged };
  }

  close(): void {
    this.now = null;
  }
}

export const muting = new Muting();
