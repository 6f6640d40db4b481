import { describe, expect, it } from 'vitest';
import { insertedAt } from './completion';
import { findEmoji, grouped, toned, UNICODE, type Emoji } from './emoji';
import type { CustomEmoji } from './mastodon-types';

const own = (shortcode: string, category: string | null, visible_in_picker = true) =>
  ({ shortcode, category, visible_in_picker, url: '', static_url: '/e.png' }) as CustomEmoji;
const named = (name: string): Emoji =>
  UNICODE.flatMap(({ emojis }) => emojis).find((one) => one.name === name)!;

describe('emoji', () => {
  it.each([
    ['rocket', '🚀'],
    ['tada', '🎉'],
    ['red heart', '❤️'],
    ['Thumbs', '👍'],
    ['lol', '😂'],
  ])('%s', (query, character) =>
    expect(findEmoji(UNICODE, query, 6).map(({ inserted }) => inserted)).toContain(character),
  );

  it('those of the server have their categories, come first, and some are not offered', () => {
    const groups = grouped([own('moot', 'Folk'), own('rocket', null), own('secret', 'Folk', false)]);
    expect(groups.map(({ name, emojis }) => [name, emojis.length])).toEqual([
      ['Folk', 1],
      ['Of this server', 1],
    ]);
    expect(findEmoji([...groups, ...UNICODE], 'rocket', 6)[0]!.inserted).toBe(':rocket:');
    expect(findEmoji(groups, 'nothing', 6)).toEqual([]);
  });

  it('a tone of skin goes behind each hand and person', () => {
    expect(toned(named('thumbs_up'), '🏽')).toBe('👍🏽');
    expect(toned(named('people_holding_hands'), '🏽')).toBe('🧑🏽‍🤝‍🧑🏽');
    expect(toned(named('index_pointing_up'), '🏽')).toBe('☝🏽');
    expect(toned(named('rocket'), '🏽')).toBe('🚀');
  });

  it('goes where the caret is', () => {
    expect(insertedAt('ab', 1, 1, '🚀')).toEqual({ text: 'a🚀b', caret: 3 });
    expect(insertedAt('a word', 2, 6, '🚀')).toEqual({ text: 'a 🚀', caret: 4 });
    expect(insertedAt('hi', 2, 2, ':moot:')).toEqual({ text: 'hi :moot: ', caret: 10 });
  });
});
