// How deep replies stand below the post of a thread. Pure.
import type { Status } from './mastodon-types';

/** 0 for who answers the post itself, and for whom nothing is known to answer. */
export function depths(
  postId: string,
  replies: Pick<Status, 'id' | 'in_reply_to_id'>[],
): Map<string, number> {
  const found = new Map<string, number>([[postId, -1]]);
  for (const reply of replies) {
    const above = reply.in_reply_to_id === null ? -1 : (found.get(reply.in_reply_to_id) ?? -1);
    found.set(reply.id, above + 1);
  }
  found.delete(postId);
  return found;
}
