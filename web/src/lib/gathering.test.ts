import { describe, expect, it } from 'vitest';
import { boostersOf, gathered, without, type Row } from './gathering';
import { Gathered } from './timeline.svelte';
import type { Status } from './mastodon-types';

const post = (id: string) => ({ id, reblog: null, account: { id: `author of ${id}` } }) as unknown as Status;
const boost = (id: string, of: string, by = `booster ${id}`) =>
  ({ id, reblog: post(of), account: { id: by } }) as unknown as Status;
const shapeOf = (rows: Row[]) =>
  rows.map((row) => [row.id, ...(row.also ?? []).map(({ id }) => id)].join('+'));

function listOf(...pages: [rows: Status[], next: string | null][]) {
  return new Gathered('/x', () => {
    const [items, next] = pages.shift()!;
    return Promise.resolve({ items, next });
  });
}

describe('a post and its boosts', () => {
  it('stand once, where the newest of them stands, and who boosted it is named once', () => {
    const rows = gathered([
      post('9'),
      boost('8', '1', 'b'),
      boost('7', '2'),
      boost('6', '1', 'a'),
      post('1'),
    ]);
    expect(shapeOf(rows)).toEqual(['9', '8+6+1', '7']);
    expect(boostersOf(rows[1]!).map(({ id }) => id)).toEqual(['b', 'a']);
    expect(boostersOf(gathered([boost('8', '1', 'b'), boost('6', '1', 'b')])[0]!)).toHaveLength(1);
    expect(shapeOf(gathered([...rows, ...rows]))).toEqual(shapeOf(rows));
  });

  it('are what is left when one is taken back, and nothing when the post is', () => {
    const [row] = gathered([boost('8', '1'), post('1')]);
    expect(shapeOf([without(row!, (id) => id === '8')!])).toEqual(['1']);
    expect(without(row!, (id) => id === '1')).toBeNull();
    expect(without(row!, (id) => id === '7')).toBe(row);
  });

  it('do not come again with an older page, nor by the stream soon after', async () => {
    const list = listOf(
      [[boost('8', '1'), post('7')], '/n'],
      [[post('5'), post('1')], '/m'],
      [[post('1')], null],
    );
    await list.refresh();
    const [first] = list.chunks;
    await list.more();
    await list.more();
    expect(shapeOf(list.items)).toEqual(['8', '7', '5']);
    expect(list.chunks[0]).toBe(first);
    list.arrive(boost('9', '7'));
    expect(list.waiting).toEqual([]);
    list.remove('8');
    expect(shapeOf(list.items)).toEqual(['7', '5']);
  });

  it('come up again when they were boosted long after, and are not below any more', async () => {
    const many = Array.from({ length: 45 }, (_, n) => post(String(99 - n)));
    const list = listOf([many, null]);
    await list.refresh();
    const last = many.at(-1)!.id;
    list.arrive(boost('101', last, 'a'));
    list.arrive(boost('102', last, 'b'));
    expect(shapeOf(list.waiting)).toEqual(['102+101']);
    list.showWaiting();
    expect(list.items).toHaveLength(45);
    expect(list.items.filter((row) => row.id === last)).toEqual([]);
  });
});
