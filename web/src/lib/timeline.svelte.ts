// A list, page by page. Kept for the life of the tab, so that going back finds it as it was left.
import { SvelteSet } from 'svelte/reactivity';
import { getPage, type Page } from './api/client';
import { gathered, partsOf, postOf, without, type Row } from './gathering';
import { asSentence } from './words';

/** What came together stays together: what is far away gives its place to a box of the height it had. */
export interface Chunk<T> {
  id: number;
  items: T[];
}

export interface Item {
  id: string;
}

let lastChunk = 0;
const chunkOf = <T>(items: T[]): Chunk<T> => ({ id: ++lastChunk, items });

export class Paged<T extends Item> {
  chunks = $state.raw<Chunk<T>[]>([]);
  /** What came since, the newest first: shown when one asks for it, so that nothing moves under who reads. */
  waiting = $state.raw<T[]>([]);
  next = $state<string | null>(null);
  loading = $state(false);
  loaded = $state(false);
  problem = $state<string | null>(null);
  items = $derived(this.chunks.flatMap((chunk) => chunk.items));
  /** How high each chunk was when it was last looked at, in a window of `heightsAtWidth` pixels. */
  readonly heights = new Map<number, number>();
  heightsAtWidth = 0;
  /** Between what waits and what is shown something is missing: what waits takes the place of all. */
  #gap: string | null | undefined;

  constructor(
    readonly path: string,
    readonly fetchPage: (path: string) => Promise<Page<T>> = getPage,
  ) {}

  /** The newest page. On a list that is shown, what is new waits. */
  async refresh(): Promise<void> {
    await this.#load(this.path, ({ items, next }) => {
      if (!this.loaded || this.items.length === 0) this.#replace(items, next);
      else this.#queue(items, next);
    });
  }

  async more(): Promise<void> {
    if (!this.next) return;
    await this.#load(this.next, ({ items, next }) => {
      const known = new Set(this.items.map((item) => this.placeOf(item)));
      const fresh = this.gather(items).filter((item) => !known.has(this.placeOf(item)));
      if (fresh.length > 0) this.chunks = [...this.chunks, chunkOf(fresh)];
      this.next = next;
    });
  }

  /** By the stream: it waits, unless it is known. */
  arrive(item: T): void {
    if (!this.loaded) return;
    const others = this.waiting.filter((other) => other.id !== item.id);
    this.waiting = this.gather(this.fresh([item, ...others]));
  }

  showWaiting(): void {
    if (this.#gap !== undefined) {
      this.#replace(this.waiting, this.#gap);
      return;
    }
    const moved = new Set(this.waiting.map((item) => this.placeOf(item)));
    const rest = this.chunks.map((chunk) =>
      mapped(chunk, (item) => (moved.has(this.placeOf(item)) ? null : item)),
    );
    this.chunks = [chunkOf(this.waiting), ...rest].filter((chunk) => chunk.items.length > 0);
    this.waiting = [];
  }

  /** One's own, at once. */
  add(item: T): void {
    this.waiting = this.waiting.filter((other) => other.id !== item.id);
    if (!this.items.some((other) => other.id === item.id)) this.chunks = [chunkOf([item]), ...this.chunks];
  }

  remove(id: string): void {
    const change = (item: T) => this.reduced(item, id);
    this.chunks = this.chunks.map((chunk) => mapped(chunk, change));
    this.waiting = this.waiting.map(change).filter((item) => item !== null);
  }

  /** What of the same place comes later takes it. */
  protected placeOf(item: T): string {
    return item.id;
  }

  protected partsOf(item: T): Item[] {
    return [item];
  }

  /** What came, as it is shown. */
  protected gather(items: T[]): T[] {
    return items;
  }

  /** What is left of an item without that part of it. */
  protected reduced(item: T, id: string): T | null {
    return item.id === id ? null : item;
  }

  /** Of what waits, what isn't there already. */
  protected fresh(waiting: T[]): T[] {
    const known = new Set(this.items.flatMap((item) => this.partsOf(item)).map(versionOf));
    return waiting.filter((item) => !known.has(versionOf(item)));
  }

  #replace(items: T[], next: string | null): void {
    this.chunks = items.length > 0 ? [chunkOf(this.gather(items))] : [];
    this.heights.clear();
    this.waiting = [];
    this.next = next;
    this.loaded = true;
    this.#gap = undefined;
  }

  #queue(items: T[], next: string | null): void {
    const known = new Set(this.items.flatMap((item) => this.partsOf(item)).map(({ id }) => id));
    const meets = items.some((item) => known.has(item.id));
    this.#gap = meets ? undefined : next;
    this.waiting = this.gather(meets ? this.fresh(items) : items);
  }

  async #load(path: string, take: (page: Page<T>) => void): Promise<void> {
    if (this.loading) return;
    this.loading = true;
    this.problem = null;
    try {
      take(await this.fetchPage(path));
    } catch (error) {
      this.problem = asSentence(error);
    } finally {
      this.loading = false;
    }
  }
}

/** A group of notifications is new again when it has grown. */
const versionOf = (item: Item): string =>
  'version' in item ? `${item.id} ${String(item.version)}` : item.id;

function mapped<T>(chunk: Chunk<T>, change: (item: T) => T | null): Chunk<T> {
  const items = chunk.items.map(change).filter((item) => item !== null);
  const isSame = items.length === chunk.items.length && items.every((item, at) => item === chunk.items[at]);
  return isSame ? chunk : { ...chunk, items };
}

export type Timeline = Paged<Row>;

/** What was boosted is shown once: those who boosted it stand above it, as of the page that it came with. */
export class Gathered extends Paged<Row> {
  protected override placeOf(row: Row): string {
    return postOf(row);
  }

  protected override partsOf(row: Row): Item[] {
    return partsOf(row);
  }

  protected override gather(rows: Row[]): Row[] {
    return gathered(rows);
  }

  protected override reduced(row: Row, id: string): Row | null {
    return without(row, (part) => part === id);
  }

  /** A boost of what one has just read, or is about to, tells nothing new. */
  protected override fresh(waiting: Row[]): Row[] {
    const recent = new Set(this.items.slice(0, RECENT).map(postOf));
    return super.fresh(waiting).filter((row) => !recent.has(postOf(row)));
  }
}

const RECENT = 40;
/** On a profile each stands in its time. */
const isOfMany = (path: string): boolean => path.startsWith('/api/v1/timelines/');
const kept = new Map<string, Timeline>();

export function timelineOf(path: string): Timeline {
  let timeline = kept.get(path);
  if (!timeline) kept.set(path, (timeline = isOfMany(path) ? new Gathered(path) : new Paged<Row>(path)));
  return timeline;
}

/** Posts whose warning or filter somebody opened: they are open wherever the post is drawn again. */
export const opened = new SvelteSet<string>();
