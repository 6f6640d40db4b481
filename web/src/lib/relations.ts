// Blocking, and no longer muting or following, with a way back.
import { changeRelationship, type RelationshipChange } from './api/people';
import { attempt, toasts } from './toasts.svelte';
import { nameOf } from './words';
import type { Account, Relationship } from './mastodon-types';

const SAID: Partial<Record<RelationshipChange, [said: string, back: RelationshipChange]>> = {
  block: ['You blocked {name}: you don’t see each other any more.', 'unblock'],
  unfollow: ['You don’t follow {name} any more.', 'follow'],
};

/** Does it at once, says so, and offers to undo it. */
export async function setRelationship(
  account: Account,
  change: RelationshipChange,
  onchanged: (now: Relationship) => void = () => undefined,
): Promise<void> {
  await attempt(async () => {
    onchanged(await changeRelationship(account.id, change));
    const said = SAID[change];
    if (!said) return;
    const undo = async () => onchanged(await changeRelationship(account.id, said[1]));
    toasts.say(said[0].replace('{name}', nameOf(account)), false, undo);
  });
}
