// The newest of what is known of a post, for every place where it is shown.
import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import type { Status } from './mastodon-types';

const latest = new SvelteMap<string, Status>();
/** Deleted while they were looked at. */
export const gone = new SvelteSet<string>();

export const newest = (listed: Status): Status => latest.get(listed.id) ?? listed;

/** After something was done to it, here or elsewhere. */
export function changed(status: Status): void {
  latest.set(status.id, status);
}

/** A copy that was just loaded knows more than what was noted before. */
export function forget(statuses: Status[]): void {
  for (const status of statuses) {
    latest.delete(status.id);
    if (status.reblog) latest.delete(status.reblog.id);
  }
}
