import { beforeEach, describe, expect, it } from 'vitest';
import { pixelsOf } from './blurhash';
import { countCharacters, visibleCharacters } from './characters';
import { completed, fragmentAt } from './completion';
import { Composition, obstacle, placeOf, requestOf } from './composition.svelte';
import { draftAt, draftsOf, emptyDraft, keepDraft, pruned, type Draft } from './drafts.svelte';
import { sentenceOf, told } from './notifications';
import { moved } from './order';
import { postKeyOf } from './post-keys';
import { safeFragment } from './rich-text';
import { depths } from './thread';
import { Paged } from './timeline.svelte';
import type { Account, CustomEmoji, GroupedNotifications, NotificationGroup, Status } from './mastodon-types';

const draft = (changes: Partial<Draft> = {}): Draft => ({ ...emptyDraft(), ...changes });

describe('characters', () => {
  it.each([
    ['hello', 5],
    ['see https://a-very-long-name.example/with/a/path?and=more ok', 4 + 23 + 3],
    ['@ada@example.org hi', 7],
    ['👩‍👩‍👧‍👦', 1],
    ['🇩🇪🇫🇷', 2],
    ['👍🏽', 1],
    ['é', 1],
    ['नमस्ते', 4],
  ])('%s', (text, count) => expect(countCharacters(text, 23)).toBe(count));

  it('counts a warning as it is seen', () => expect(visibleCharacters('e\u0301a')).toBe(2));
});

describe('completion', () => {
  it.each([
    ['hi @ad', { kind: 'mention', query: 'ad' }],
    ['hi @ad@exa', { kind: 'mention', query: 'ad@exa' }],
    ['#caf', { kind: 'hashtag', query: 'caf' }],
    ['(:smi', { kind: 'emoji', query: 'smi' }],
  ])('%s', (text, found) => expect(fragmentAt(text, text.length)).toMatchObject(found));

  it.each(['mail@ad', 'at 10:30', 'no', ':s', 'https://x.example/#caf'])('nothing in %s', (text) =>
    expect(fragmentAt(text, text.length)).toBeNull(),
  );

  it('replaces what was begun and puts the caret behind it', () => {
    const fragment = fragmentAt('hi @ad and', 6)!;
    expect(completed('hi @ad and', fragment, '@ada')).toEqual({ text: 'hi @ada and', caret: 8 });
    expect(completed('#caf', fragmentAt('#caf', 4)!, '#café')).toEqual({ text: '#café ', caret: 6 });
  });
});

describe('drafts', () => {
  beforeEach(() => localStorage.clear());

  it('are of one account and one place', () => {
    keepDraft('1', 'new', draft({ text: 'a' }), 5);
    keepDraft('1', 'reply:7', draft({ text: 'b' }), 6);
    expect(draftAt('1', 'new')?.text).toBe('a');
    expect(draftAt('2', 'new')).toBeNull();
    expect(draftsOf('1').map(({ place }) => place)).toEqual(['reply:7', 'new']);
    keepDraft('1', 'new', null, 7);
    expect(draftAt('1', 'new')).toBeNull();
  });

  it('are forgotten after two months, and the oldest when there are too many', () => {
    const day = 86_400_000;
    const all = Object.fromEntries(
      Array.from({ length: 40 }, (_, at) => [`reply:${at}`, { draft: draft(), atMs: at * day * 2 }]),
    );
    const left = pruned(all, 80 * day);
    expect(Object.keys(left)).toHaveLength(29);
    expect(left['reply:0']).toBeUndefined();
  });

  it('come back into the form, and go when it is as it was at first', () => {
    const first = new Composition({}, '1', draft());
    first.text = 'half a thought';
    first.keep(1);
    const second = new Composition({}, '1', draft());
    expect([second.text, second.isBegun]).toEqual(['half a thought', true]);
    second.text = '';
    second.keep(2);
    expect(draftAt('1', 'new')).toBeNull();
  });
});

describe('what is sent', () => {
  const status = { id: '7', visibility: 'public' } as Status;

  it('names the place it belongs to', () => {
    expect(placeOf({})).toBe('new');
    expect(placeOf({ replyTo: status })).toBe('reply:7');
    expect(placeOf({ quote: status })).toBe('quote:7');
    expect(placeOf({ editing: status })).toBe('edit:7');
  });

  it('of a change: not what can’t be changed', () => {
    const asked = requestOf(draft({ text: 'x', visibility: 'private' }), { editing: status });
    expect(asked).toEqual({ status: 'x', spoiler_text: '', sensitive: false, media_ids: [] });
  });

  it('with a poll without its empty answers, a quote, a time', () => {
    const asked = requestOf(
      draft({
        text: 'x',
        warning: 'w',
        language: 'de',
        poll: { options: ['a ', '', 'b'], expiresInS: 300, multiple: true },
        scheduledAt: '2030-01-02T03:04',
        quotePolicy: 'nobody',
      }),
      { quote: status },
    );
    expect(asked).toMatchObject({
      poll: { options: ['a', 'b'], expires_in: 300, multiple: true },
      quoted_status_id: '7',
      quote_approval_policy: 'nobody',
      language: 'de',
      spoiler_text: 'w',
      scheduled_at: new Date('2030-01-02T03:04').toISOString(),
    });
  });

  it('says what is in the way', () => {
    const poll = { options: ['a', 'a'], expiresInS: 300, multiple: false };
    expect(obstacle(draft(), 501, null, 0)).toMatch('1 characters too many');
    expect(obstacle(draft({ poll }), 1, null, 0)).toMatch('the same');
    expect(obstacle(draft({ poll: { ...poll, options: ['a'] } }), 1, null, 0)).toMatch('two answers');
    expect(obstacle(draft({ scheduledAt: '2000-01-01T00:00' }), 1, null, Date.now())).toMatch('five minutes');
    expect(obstacle(draft({ text: 'x' }), 1, null, 0)).toBeNull();
  });
});

describe('a list that lives', () => {
  const items = (...ids: number[]) => ids.map((id) => ({ id: String(id) }));
  const idsOf = (list: Paged<{ id: string }>) => list.items.map(({ id }) => Number(id));
  const listOf = (...pages: [items: { id: string }[], next: string | null][]) => {
    const left = [...pages];
    return new Paged<{ id: string }>('/x', () => {
      const [page, next] = left.shift()!;
      return Promise.resolve({ items: page, next });
    });
  };

  it('lets what is new wait, and moves nothing until one asks', async () => {
    const list = listOf([items(5, 4), '/n'], [items(7, 6, 5, 4), '/m'], [items(3, 2), null]);
    await list.refresh();
    await list.refresh();
    expect([idsOf(list), list.waiting.length]).toEqual([[5, 4], 2]);
    list.arrive({ id: '8' });
    list.arrive({ id: '4' });
    expect(list.waiting.length).toBe(3);
    list.showWaiting();
    await list.more();
    expect([idsOf(list), list.next]).toEqual([[8, 7, 6, 5, 4, 3, 2], null]);
  });

  it('begins anew where the new does not meet the old', async () => {
    const list = listOf([items(5, 4), '/n'], [items(90, 80), '/m']);
    await list.refresh();
    await list.refresh();
    expect(idsOf(list)).toEqual([5, 4]);
    list.showWaiting();
    expect([idsOf(list), list.next]).toEqual([[90, 80], '/m']);
  });

  it('shows one’s own at once, and once', async () => {
    const list = listOf([items(5), null]);
    await list.refresh();
    list.arrive({ id: '6' });
    list.add({ id: '6' });
    list.arrive({ id: '6' });
    expect([idsOf(list), list.waiting]).toEqual([[6, 5], []]);
    list.remove('6');
    expect(idsOf(list)).toEqual([5]);
  });
});

describe('notifications', () => {
  const account = (id: string) => ({ id, username: `name${id}`, display_name: '' }) as Account;

  it('name people and the post, and count the others', () => {
    const page = {
      accounts: [account('1'), account('2')],
      statuses: [{ id: '9' }],
      notification_groups: [
        {
          group_key: 'g',
          type: 'favourite',
          notifications_count: 5,
          sample_account_ids: ['1', '2', '3'],
          status_id: '9',
        },
        {
          group_key: 'h',
          type: 'reblog',
          notifications_count: 2,
          sample_account_ids: ['2', '1'],
          status_id: '8',
        },
        { group_key: 'i', type: 'poll', notifications_count: 1, sample_account_ids: ['2'] },
        {
          group_key: 'j',
          type: 'scheduled.refused',
          notifications_count: 1,
          sample_account_ids: ['2'],
          folkmoot: { event: 'refused', reason: 'It is gone.' },
        },
      ],
    } as unknown as GroupedNotifications;
    const rows = told(page);
    expect(rows.map(({ status }) => status?.id ?? null)).toEqual(['9', null, null, null]);
    expect(rows.map(sentenceOf)).toEqual([
      { names: 'name1 and 4 others', does: 'favourited your post' },
      { names: 'name2 and name1', does: 'boosted your post' },
      { names: '', does: 'A poll in which you took part has ended' },
      { names: '', does: 'A post that you scheduled could not be posted' },
    ]);
  });
});

describe('names', () => {
  it('that are read from right to left leave the sentence as it is', () => {
    const group = { notifications_count: 3, type: 'favourite' } as NotificationGroup;
    const accounts = [{ display_name: 'طيط', username: 'tit' }] as Account[];
    expect(sentenceOf({ group, accounts }).names).toBe('\u2068طيط\u2069 and 2 others');
  });
});

describe('the rest', () => {
  it('a thread is as deep as its answers', () => {
    const replies = [
      { id: '2', in_reply_to_id: '1' },
      { id: '3', in_reply_to_id: '2' },
      { id: '4', in_reply_to_id: '1' },
      { id: '5', in_reply_to_id: 'hidden' },
    ];
    expect([...depths('1', replies)]).toEqual([
      ['2', 0],
      ['3', 1],
      ['4', 0],
      ['5', 0],
    ]);
  });

  it('a blurhash is a picture, and nonsense is none', () => {
    const pixels = pixelsOf('LEHV6nWB2yk8pyo0adR*.7kCMdnj', 4, 3)!;
    expect(pixels).toHaveLength(48);
    expect([pixels[0], pixels[1], pixels[2], pixels[3]]).toEqual(
      [151, 169, 178, 255].map(() => expect.any(Number)),
    );
    expect(pixels[3]).toBe(255);
    expect(new Set(pixels).size).toBeGreaterThan(4);
    for (const broken of ['', 'LEHV6n', 'LEHV6nWB2yk8pyo0adR*.7kCMdn\\', '000000']) {
      expect(broken === '000000' ? pixelsOf(broken, 1, 1) : pixelsOf(broken, 4, 3)).toEqual(
        broken === '000000' ? new Uint8ClampedArray([0, 0, 0, 255]) : null,
      );
    }
  });

  it('emoji of the server become pictures, in words only', () => {
    const emojis = [{ shortcode: 'ok', url: '/e.gif', static_url: '/e.png' } as CustomEmoji];
    const box = document.createElement('div');
    box.append(safeFragment('<p>:ok: :no: <a href="https://x.example/:ok:">l</a></p>', emojis));
    expect(box.querySelectorAll('img.emoji')).toHaveLength(1);
    expect(box.textContent).toBe(' :no: l');
    expect(box.querySelector('a')!.getAttribute('href')).toBe('https://x.example/:ok:');
  });

  it('things change places', () => expect(moved(['a', 'b', 'c'], 2, 0)).toEqual(['c', 'a', 'b']));

  it('keys: one after G goes somewhere, with Ctrl none is meant', () => {
    const key = (name: string, ctrlKey = false) => ({ key: name, ctrlKey, altKey: false, metaKey: false });
    expect(postKeyOf(key('n'), false)).toEqual({ do: 'write' });
    expect(postKeyOf(key('n'), true)).toEqual({ do: 'go', to: '/notifications' });
    expect(postKeyOf(key('z'), true)).toBeNull();
    expect(postKeyOf(key('r', true), false)).toBeNull();
  });
});
