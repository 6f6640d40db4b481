// A list, page by page. Kept for the life of the tab, so that going back finds it as it was left.
import { SvelteSet } from 'svelte/reactivity';
import { getPage, type Page } from './api/client';
import type { Status } from './mastodon-types';
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
      const known = new Set(this.items.map((item) => item.id));
      const fresh = items.filter((item) => !known.has(item.id));
      if (fresh.length > 0) this.chunks = [...this.chunks, chunkOf(fresh)];
      this.next = next;
    });
  }

  /** By the stream: it waits, unless it is known. */
  arrive(item: T): void {
    if (!this.loaded) return;
    this.waiting = [item, ...this.waiting.filter((other) => other.id !== item.id)];
    this.#dropKnown();
  }

  showWaiting(): void {
    if (this.#gap !== undefined) {
      this.#replace(this.waiting, this.#gap);
      return;
    }
    const moved = new Set(this.waiting.map((item) => item.id));
    const rest = this.chunks.map((chunk) => without(chunk, (item) => moved.has(item.id)));
    this.chunks = [chunkOf(this.waiting), ...rest].filter((chunk) => chunk.items.length > 0);
    this.waiting = [];
  }

  /** One's own, at once. */
  add(item: T): void {
    this.waiting = this.waiting.filter((other) => other.id !== item.id);
    if (!this.items.some((other) => other.id === item.id)) this.chunks = [chunkOf([item]), ...this.chunks];
  }

  remove(id: string): void {
    this.chunks = this.chunks.map((chunk) => without(chunk, (item) => item.id === id));
    this.waiting = this.waiting.filter((item) => item.id !== id);
  }

  #replace(items: T[], next: string | null): void {
    this.chunks = items.length > 0 ? [chunkOf(items)] : [];
    this.heights.clear();
    this.waiting = [];
    this.next = next;
    this.loaded = true;
    this.#gap = undefined;
  }

  #queue(items: T[], next: string | null): void {
    const known = new Set(this.items.map((item) => item.id));
    const meets = items.some((item) => known.has(item.id));
    this.#gap = meets ? undefined : next;
    this.waiting = items;
    if (meets) this.#dropKnown();
  }

  #dropKnown(): void {
    const known = new Set(this.items.map((item) => this.#version(item)));
    this.waiting = this.waiting.filter((item) => !known.has(this.#version(item)));
  }

  /** A group of notifications is new again when it has grown. */
  #version(item: T): string {
    return 'version' in item ? `${item.id} ${String(item.version)}` : item.id;
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

const without = <T>(chunk: Chunk<T>, isGone: (item: T) => boolean): Chunk<T> =>
  chunk.items.some(isGone) ? { ...chunk, items: chunk.items.filter((item) => !isGone(item)) } : chunk;

export type Timeline = Paged<Status>;

const kept = new Map<string, Timeline>();

export function timelineOf(path: string): Timeline {
  let timeline = kept.get(path);
  if (!timeline) kept.set(path, (timeline = new Paged<Status>(path)));
  return timeline;
}

/** Posts whose warning or filter somebody opened: they are open wherever the post is drawn again. */
export const opened = new SvelteSet<string>();
