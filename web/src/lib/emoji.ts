// The emoji of Unicode and those of this server, by group and by name. Loaded when somebody first looks for one.
import groups from 'unicode-emoji-json/data-by-group.json';
import words from 'emojilib/dist/emoji-en-US.json';
import { get } from './api/client';
import { remember, remembered } from './remembered';
import type { CustomEmoji } from './mastodon-types';

export interface Emoji {
  /** What stands in the text: the character, or `:shortcode:`. */
  inserted: string;
  /** Words with underscores between, as people write it after a colon. */
  name: string;
  /** What else it is found by, a space between. */
  words: string;
  isToned: boolean;
  image?: string;
}
export interface EmojiGroup {
  name: string;
  emojis: Emoji[];
}

export const UNICODE: EmojiGroup[] = groups.map(({ name, emojis }) => ({
  name,
  emojis: emojis.map(([inserted, slug, toned]) => ({
    inserted,
    name: slug,
    words: words[inserted] ?? '',
    isToned: toned === 1,
  })),
}));

let own: Promise<CustomEmoji[]> | null = null;

/** Those that the operator has added, by their categories; none where the server doesn't answer. */
export async function ownGroups(): Promise<EmojiGroup[]> {
  own ??= get<CustomEmoji[]>('/api/v1/custom_emojis').catch(() => ((own = null), []));
  return grouped(await own);
}

export function grouped(all: CustomEmoji[]): EmojiGroup[] {
  const found = new Map<string, Emoji[]>();
  for (const one of all) {
    if (!one.visible_in_picker) continue;
    const category = one.category || 'Of this server';
    found.set(category, [...(found.get(category) ?? []), ofServer(one)]);
  }
  return [...found].map(([name, emojis]) => ({ name, emojis }));
}

const ofServer = ({ shortcode, static_url }: CustomEmoji): Emoji => ({
  inserted: `:${shortcode}:`,
  name: shortcode,
  words: '',
  isToned: false,
  image: static_url,
});

/** How well a name fits: the smaller the better, null where it doesn't. */
function distance(emoji: Emoji, query: string): number | null {
  const name = emoji.name.toLowerCase();
  const others = emoji.words.split(' ');
  const parts = name.split('_');
  if (name === query) return 0;
  if (parts.includes(query)) return 1;
  if (others.includes(query)) return 2;
  if (name.startsWith(query)) return 3;
  if (parts.some((part) => part.startsWith(query))) return 4;
  if (others.some((word) => word.startsWith(query))) return 5;
  return name.includes(query) ? 6 : null;
}

/** The best first; the server's own before others that fit as well. */
export function findEmoji(all: EmojiGroup[], query: string, most: number): Emoji[] {
  const wanted = query
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, '_');
  const found = all
    .flatMap(({ emojis }) => emojis)
    .flatMap((emoji) => {
      const far = distance(emoji, wanted);
      return far === null ? [] : [{ emoji, far }];
    });
  return found
    .sort((a, b) => a.far - b.far)
    .slice(0, most)
    .map(({ emoji }) => emoji);
}

export const TONES = ['', '\u{1f3fb}', '\u{1f3fc}', '\u{1f3fd}', '\u{1f3fe}', '\u{1f3ff}'];

/** With a tone of skin behind each person or hand (Unicode TR 51, 2.4); a joined handshake has none of its own. */
export function toned({ inserted, isToned }: Emoji, tone: string): string {
  if (!isToned || !tone) return inserted;
  const joins = inserted.includes('\u200d');
  return inserted.replace(/(\p{Emoji_Modifier_Base})\ufe0f?/gu, (whole, base: string) =>
    joins && base === '🤝' ? whole : base + tone,
  );
}

const RECENT_MAX = 24;

/** What this browser took last, the newest first: as it was inserted. */
export const recentEmoji = (): string[] => remembered<string[]>('emoji', []);
export const noteEmoji = (inserted: string): void =>
  remember('emoji', [inserted, ...recentEmoji().filter((other) => other !== inserted)].slice(0, RECENT_MAX));
