// A Space's server-sent events, kept coming: after a dead network, a restarted server, a night's sleep.
import { SPACES } from '../api/spaces';
import { onReturn } from '../back';
import { SPREAD_MS, backoffMs } from '../player/lag';
import type { Space } from '../types';

export interface SpaceEvents {
  onSpace: (space: Space) => void;
  onCounts: (counts: Counts) => void;
  onNotice: (notice: { code: string; sentence: string }) => void;
  /** The stage is another process than before: every speaker's connection is gone. */
  onNewStage: () => void;
  /** The right to follow has ended. */
  onEnd: () => void;
  /** Whether anything comes at the moment. */
  onState: (isOpen: boolean) => void;
}

export interface Counts {
  listeners: number;
  listeners_estimated: number;
  reactions: Record<string, number>;
}

/** Where too many follow already, or the server refuses for another reason. */
const REFUSED_MS = 60_000;

/** Follows until the returned function is called. */
export function follow(spaceId: string, handlers: SpaceEvents): () => void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let generation: number | null = null;
  let attempt = 0;
  let wasOpen = false;

  const open = () => {
    source?.close();
    clearTimeout(timer);
    source = new EventSource(`${SPACES}/${spaceId}/events`);
    listen(source);
  };
  const again = (waitMs: number) => {
    source?.close();
    clearTimeout(timer);
    timer = setTimeout(open, waitMs);
  };
  const read = <T>(event: Event) => JSON.parse((event as MessageEvent<string>).data) as T;

  function listen(events: EventSource) {
    events.addEventListener('open', () => {
      [attempt, wasOpen] = [0, true];
      handlers.onState(true);
    });
    events.addEventListener('space', (event) => handlers.onSpace(read(event)));
    events.addEventListener('counts', (event) => handlers.onCounts(read(event)));
    events.addEventListener('notice', (event) => handlers.onNotice(read(event)));
    events.addEventListener('stage', (event) => {
      const now = read<{ generation: number | null }>(event).generation;
      if (now !== null && generation !== null && now !== generation) handlers.onNewStage();
      generation = now ?? generation;
    });
    events.addEventListener('end', () => handlers.onEnd());
    events.addEventListener('error', () => {
      handlers.onState(false);
      // CLOSED is a refusal, or a proxy's word that the server behind it is away.
      const isRefused = events.readyState === EventSource.CLOSED && !wasOpen;
      wasOpen = false;
      const spread = attempt === 0 ? Math.random() * SPREAD_MS : 0;
      again(isRefused && attempt > 2 ? REFUSED_MS : spread + backoffMs(attempt, Math.random()));
      attempt += 1;
    });
  }

  open();
  const stopListening = onReturn(open);
  return () => {
    stopListening();
    clearTimeout(timer);
    source?.close();
  };
}
