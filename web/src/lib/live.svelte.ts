// Lists that grow while one looks at them: by the stream, and by looking again where there is none.
import { untrack } from 'svelte';
import { changed, gone } from './statuses.svelte';
import { streaming, type StreamEvent } from './streaming.svelte';
import type { Status } from './mastodon-types';
import type { Item, Paged, Timeline } from './timeline.svelte';

const LOOK_EVERY_MS = 30_000;

export interface Stream {
  name: string;
  parameters?: Record<string, string>;
}

/** For an effect: what is posted waits in the timeline; what is edited or deleted changes where it stands. */
export function follow(timeline: Timeline, stream: Stream): () => void {
  return streaming.follow(stream.name, (event) => take(timeline, event), stream.parameters);
}

function take(timeline: Timeline, { event, payload }: StreamEvent): void {
  if (event === 'update') timeline.arrive(there(payload));
  else if (event === 'status.update') changed(there(payload));
  else if (event === 'delete') {
    gone.add(payload);
    timeline.remove(payload);
  }
}

/** It is shown to one, also if it was gone before: a boost that ended took with it what it showed. */
function there(payload: string): Status {
  const status = JSON.parse(payload) as Status;
  gone.delete(status.id);
  if (status.reblog) gone.delete(status.reblog.id);
  return status;
}

/** For an effect: looks again from time to time while nothing tells, and once when it is connected anew. */
export function poll<T extends Item>(list: Paged<T>, isTold: boolean): (() => void) | undefined {
  if (isTold && streaming.connected) {
    // Untracked: it reads whether it is loading, and would run again whenever that changes, for ever.
    untrack(() => (list.loaded || list.problem) && void list.refresh());
    return undefined;
  }
  const timer = setInterval(
    () => document.visibilityState === 'visible' && void list.refresh(),
    LOOK_EVERY_MS,
  );
  return () => clearInterval(timer);
}
