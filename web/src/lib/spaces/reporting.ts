// What of a Space is reported: somebody in it, and the moment that one hears.
import type { Person, ReportSubject } from '../moderation';
import { sound } from '../sound/sound.svelte';
import type { Space } from '../types';

/** `people`: whom it can be about, the likeliest first; nobody (whose account is not shown) is left out. */
export function spaceSubject(space: Space, what: string, people: (Person | null)[]): ReportSubject {
  const shown = people.filter((person) => person !== null);
  const known = new Map(shown.map((person) => [person.id, person]));
  const heard = sound.hears(space.id) ? sound.player?.positionMs : undefined;
  return { people: [...known.values()], what, spaceId: space.id, atMs: heard };
}
