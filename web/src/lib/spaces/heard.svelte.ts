// Who is seen on a Space's stage, and who of them is heard at this moment — by this person, not by the server.
import type { Account } from '../mastodon-types';
import type { Person, Seat } from '../types';
import { session } from '../session.svelte';
import { sound } from '../sound/sound.svelte';
import { stage } from '../sound/stage.svelte';
import type { SpaceFeed } from './feed.svelte';

export interface Face {
  /** The stints on stage that this face stands for; the last one is the present one. */
  seats: number[];
  account: Account | null;
  /** Why there is a face without a name. */
  nameless: string;
  person: Person | null;
}

const NOBODY: ReadonlySet<number> = new Set();

export function heardSeats(spaceId: string): ReadonlySet<number> {
  if (stage.isIn(spaceId) && stage.active) return stage.speaking;
  const note = sound.hears(spaceId) && sound.player?.playing ? sound.player.note : null;
  return note ? new Set(note.speaking) : NOBODY;
}

/** How many listen, connected and by HLS, as fresh as it is known here. */
export function listenersOf(feed: SpaceFeed): [connected: number, estimated: number] {
  const player = sound.hears(feed.id) && sound.kind === 'live' ? sound.player : null;
  const told = (player?.atLive && player.note) || feed.counts;
  if (told) return [told.listeners, told.listeners_estimated];
  return [feed.space?.listener_count ?? 0, feed.space?.listener_count_estimated ?? 0];
}

/** While it is live: who is on stage. Afterwards: who was, each once. */
export function facesOf(feed: SpaceFeed): Face[] {
  if (feed.space?.state === 'live') {
    return feed.space.stage.map((person) => ({
      seats: [person.seat ?? 0],
      account: person.account,
      nameless: unseen(),
      person,
    }));
  }
  return peopleOf(feed.seats?.seats ?? []);
}

/** Seats by person. Seats without a name stay apart: nobody knows whether they were the same person. */
export function peopleOf(seats: Seat[]): Face[] {
  const faces = new Map<string, Face>();
  for (const { seat, account, sanctioned } of seats) {
    const key = account?.id ?? `seat-${seat}`;
    const face = faces.get(key);
    if (face) face.seats.push(seat);
    else faces.set(key, { seats: [seat], account, nameless: namelessSeat(sanctioned), person: null });
  }
  return [...faces.values()];
}

const namelessSeat = (sanctioned: boolean): string => (sanctioned ? 'A suspended account' : unseen());

/** Why a name is kept back: without an account it can't be a block of one's own. */
const unseen = (): string => (session.active ? 'Somebody you blocked' : 'Somebody');
