// A list of posts, page by page. Kept for the life of the tab, so that going back finds it as it was left.
import { getPage } from './api/client';
import type { Status } from './mastodon-types';
import { asSentence } from './words';

export class Timeline {
  items = $state<Status[]>([]);
  next = $state<string | null>(null);
  loading = $state(false);
  loaded = $state(false);
  problem = $state<string | null>(null);

  constructor(readonly path: string) {}

  /** The newest page; what was read before stays below it where the two meet. */
  async refresh(): Promise<void> {
    await this.#load(this.path, (items, next) => {
      const known = new Set(items.map((item) => item.id));
      const meets = this.items.some((item) => known.has(item.id));
      this.items = meets ? [...items, ...this.items.filter((item) => !known.has(item.id))] : items;
      if (!meets) this.next = next;
      this.loaded = true;
    });
  }

  async more(): Promise<void> {
    if (!this.next) return;
    await this.#load(this.next, (items, next) => {
      this.items = [...this.items, ...items];
      this.next = next;
    });
  }

  add(status: Status): void {
    this.items = [status, ...this.items];
  }

  remove(id: string): void {
    this.items = this.items.filter((item) => item.id !== id);
  }

  async #load(path: string, take: (items: Status[], next: string | null) => void): Promise<void> {
    if (this.loading) return;
    this.loading = true;
    this.problem = null;
    try {
      const page = await getPage<Status>(path);
      take(page.items, page.next);
    } catch (error) {
      this.problem = asSentence(error);
    } finally {
      this.loading = false;
    }
  }
}

const kept = new Map<string, Timeline>();

export function timelineOf(path: string): Timeline {
  let timeline = kept.get(path);
  if (!timeline) kept.set(path, (timeline = new Timeline(path)));
  return timeline;
}
