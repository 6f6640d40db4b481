// What the client needs of two lists of emoji, taken out of them while it is built.
import type { Plugin } from 'vite';

/** Fonts that people have know these; newer ones would be boxes. */
const EMOJI_VERSION_MAX = 15.1;
const WORDS_MAX = 6;

interface Listed {
  emoji: string;
  slug: string;
  skin_tone_support: boolean;
  emoji_version: string;
}
type Groups = { name: string; emojis: Listed[] }[];

function groupsOf(all: Groups): unknown {
  return all.map(({ name, emojis }) => ({
    name,
    emojis: emojis
      .filter(({ emoji_version }) => Number(emoji_version) <= EMOJI_VERSION_MAX)
      .map(({ emoji, slug, skin_tone_support }) => (skin_tone_support ? [emoji, slug, 1] : [emoji, slug])),
  }));
}

/** The first of each, without those that begin like one that is kept, or like a part of its name. */
function wordsOf(all: Record<string, string[]>): unknown {
  return Object.fromEntries(
    Object.entries(all).map(([emoji, [slug = '', ...words]]) => {
      const known = slug.split('_');
      const kept = words.filter((word) => {
        if (known.some((other) => word.startsWith(other) && other.length > 2)) return false;
        known.push(word);
        return true;
      });
      return [emoji, kept.slice(0, WORDS_MAX).join(' ')];
    }),
  );
}

const KEPT: [file: string, of: (parsed: any) => unknown][] = [
  ['unicode-emoji-json/data-by-group.json', groupsOf],
  ['emojilib/dist/emoji-en-US.json', wordsOf],
];

export const emojiData = (): Plugin => ({
  name: 'emoji-data',
  enforce: 'pre',
  transform(code, id) {
    const kept = KEPT.find(([file]) => id.endsWith(file));
    return kept ? { code: JSON.stringify(kept[1](JSON.parse(code))), map: null } : undefined;
  },
});
