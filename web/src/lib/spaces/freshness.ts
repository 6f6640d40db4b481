// How often to look at a Space. Pure: time and who looks are arguments.
import type { Space } from '../types';

const STRANGER_LOOKS_EVERY_MS = 30_000;
/** Who is signed in may be invited at any moment. */
const SIGNED_IN_LOOKS_EVERY_MS = 5_000;
/** Who is told of every change, and of the counts, looks for what may have been lost on the way. */
const TOLD_LOOKS_EVERY_MS = 60_000;
/** The recording is there a moment after the end; after this long it won't come any more. */
const REPLAY_LOOKS_EVERY_MS = 3_000;
const REPLAY_COMES_WITHIN_MS = 120_000;
/** However many listen, their looks together are not more than this many a second. */
const LOOKS_PER_S = 100;
/** The server has as many places for those who look on; in a larger crowd nobody tries to get one. */
const FOLLOWED_BY_MAX = 400;

export interface Looker {
  /** Hears of changes as they happen. */
  told: boolean;
  signedIn: boolean;
  /** The page is in front of somebody. */
  visible: boolean;
  nowMs: number;
}

type Looked = Pick<
  Space,
  'state' | 'recorded' | 'replay' | 'ended_at' | 'you' | 'listener_count' | 'listener_count_estimated'
>;

export function takesPart({ you }: Pick<Space, 'you'>): boolean {
  return you.seat !== null || you.asking || you.invited_as !== null || you.role !== 'listener';
}

/** Whether to follow the Space's events: who takes part always, others while they look at it. */
export function follows(space: Looked | null, looker: Looker): boolean {
  if (space === null || space.state !== 'live' || !looker.signedIn) return false;
  return takesPart(space) || (looker.visible && crowdOf(space) <= FOLLOWED_BY_MAX);
}

type Crowd = Pick<Space, 'listener_count' | 'listener_count_estimated'>;

const crowdOf = (space: Crowd): number => space.listener_count + space.listener_count_estimated;

/** Over how long the looks of all who listen are spread when they learn of something at once. */
export const spreadMs = (space: Crowd): number => (crowdOf(space) / LOOKS_PER_S) * 1000;

/** How soon to look again, or null when nothing changes any more. */
export function looksEveryMs(space: Looked | null, looker: Looker): number | null {
  if (space === null || space.state === 'scheduled') return STRANGER_LOOKS_EVERY_MS;
  if (space.state !== 'live') return awaitsReplay(space, looker.nowMs) ? REPLAY_LOOKS_EVERY_MS : null;
  if (looker.told) return TOLD_LOOKS_EVERY_MS;
  if (looker.signedIn && takesPart(space)) return SIGNED_IN_LOOKS_EVERY_MS;
  const waits = looker.signedIn && looker.visible;
  return Math.max(waits ? SIGNED_IN_LOOKS_EVERY_MS : STRANGER_LOOKS_EVERY_MS, spreadMs(space));
}

function awaitsReplay(space: Looked, nowMs: number): boolean {
  const endedMs = space.ended_at ? Date.parse(space.ended_at) : 0;
  return space.recorded && !space.replay && nowMs - endedMs < REPLAY_COMES_WITHIN_MS;
}
