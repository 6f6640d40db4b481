// What is known of one Space, kept fresh for as long as somebody looks at it or hears it.
import { command, getSeats, getSpace } from '../api/spaces';
import { ApiError } from '../api/client';
import { onReturn } from '../back';
import { toasts } from '../toasts.svelte';
import { session } from '../session.svelte';
import type { Command, Seats, Space } from '../types';
import { asSentence } from '../words';
import { isCalled } from './calls';
import { follow, type Counts } from './events';
import { follows, looksEveryMs, spreadMs } from './freshness';

/** A right that ended may be written down a moment after it was told. */
const LOOK_AGAIN_AFTER_MS = 1_000;
const ROSTER_DELAY_MS = 1_000;

export class SpaceFeed {
  space = $state.raw<Space | null>(null);
  seats = $state.raw<Seats | null>(null);
  /** What changes all the time, as far as it is told. */
  counts = $state.raw<Counts | null>(null);
  problem = $state<string | null>(null);
  missing = $state(false);
  /** Why it is gone, where everybody is told. */
  gone = $state<string | null>(null);

  readonly #listeners = new Set<(space: Space) => void>();
  readonly #endListeners = new Set<(isGone: boolean) => void>();
  #holders = 0;
  readonly #stageListeners = new Set<() => void>();
  #unfollowNow: (() => void) | null = null;
  /** Whether changes are told as they happen. */
  #told = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #rosterTimer: ReturnType<typeof setTimeout> | undefined;
  #rosterAsked = 0;
  #calls: readonly string[] = [];

  constructor(readonly id: string) {
    document.addEventListener('visibilitychange', () => {
      const isOver = this.space !== null && this.space.state !== 'live' && this.space.state !== 'scheduled';
      if (this.#holders > 0 && !isOver && document.visibilityState === 'visible') void this.refresh();
    });
    onReturn(() => {
      if (this.#holders > 0) void this.refresh();
    });
  }

  /** Keeps it fresh until the returned function is called. */
  hold(): () => void {
    this.#holders += 1;
    if (this.#holders === 1) void this.refresh();
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holders -= 1;
      if (this.#holders === 0) this.#rest();
    };
  }

  onChange(listener: (space: Space) => void): () => void {
    this.#listeners.add(listener);
    if (this.space) listener(this.space);
    return () => this.#listeners.delete(listener);
  }

  /** Called when the right to follow has ended, before anybody knows why; and, with true, when the Space is gone. */
  onEnd(listener: (isGone: boolean) => void): () => void {
    this.#endListeners.add(listener);
    return () => this.#endListeners.delete(listener);
  }

  /** Called when the stage was started anew: whoever is on it has to connect again. */
  onNewStage(listener: () => void): () => void {
    this.#stageListeners.add(listener);
    return () => this.#stageListeners.delete(listener);
  }

  async refresh(): Promise<void> {
    try {
      this.take(await getSpace(this.id));
      this.problem = this.gone = null;
      this.missing = false;
    } catch (error) {
      this.problem = asSentence(error);
      const status = error instanceof ApiError ? error.status : 0;
      this.missing = status === 404 || status === 410;
      // Who was in it is told wherever they look just now.
      if (status === 410 && this.gone === null && this.space !== null) toasts.say(this.problem);
      this.gone = status === 410 ? this.problem : null;
      if (this.missing) this.#tellEnd(true);
    } finally {
      this.#arrange();
    }
  }

  async command(what: Command): Promise<Space> {
    const space = await command(this.id, what);
    this.take(space);
    this.#arrange();
    return space;
  }

  take(space: Space): void {
    this.space = space;
    this.counts = null;
    for (const listener of this.#listeners) listener(space);
  }

  /**
   * The sound says that seats changed, or what is in it: look, but not all thousands in the same moment. Whether that
   * is news, and will be looked at later than what was taken out may be heard.
   */
  noticeRoster(version: number): boolean {
    const known = Math.max(this.#rosterAsked, this.space?.roster ?? 0);
    if (version <= known) return false;
    this.#rosterAsked = version;
    clearTimeout(this.#rosterTimer);
    const delayMs = Math.max(ROSTER_DELAY_MS, this.space ? spreadMs(this.space) : 0);
    this.#rosterTimer = setTimeout(() => void this.refresh(), Math.random() * delayMs);
    return delayMs > ROSTER_DELAY_MS;
  }

  /** The sound calls somebody: whoever it is looks at once, and nobody else does. */
  async noticeCalls(calls: readonly string[]): Promise<void> {
    const key = this.space?.you.call_key;
    // Ten times a second, and hardly ever is there another one.
    if (calls === this.#calls || !key) return;
    const fresh = calls.filter((call) => !this.#calls.includes(call));
    this.#calls = calls;
    if (await isCalled(key, fresh)) await this.refresh();
  }

  /** Who the seat numbers stand for, and who spoke when in this stretch. */
  async loadSeats(fromMs: number, toMs: number): Promise<void> {
    this.seats = await getSeats(this.id, Math.max(0, Math.floor(fromMs)), Math.ceil(toMs));
  }

  #arrange(): void {
    clearTimeout(this.#timer);
    const space = this.space;
    const visible = document.visibilityState === 'visible';
    const looker = { told: this.#told, signedIn: session.active, visible, nowMs: Date.now() };
    const everyMs = looksEveryMs(space, looker);
    if (this.#holders === 0 || everyMs === null || this.missing) return this.#rest();
    if (follows(space, looker)) this.#follow();
    else this.#unfollow();
    // Half of them sooner, half later: those who came together don't look together.
    this.#timer = setTimeout(() => void this.refresh(), everyMs * (0.75 + Math.random() / 2));
  }

  #follow(): void {
    this.#unfollowNow ??= follow(this.id, {
      onSpace: (space) => {
        this.take(space);
        this.#arrange();
      },
      onCounts: (counts) => (this.counts = counts),
      onNotice: ({ code, sentence }) => toasts.say(sentence, code === 'tape_full'),
      onNewStage: () => this.#stageListeners.forEach((listener) => listener()),
      onEnd: () => void this.#rightEnded(),
      onState: (isOpen) => {
        this.#told = isOpen;
        // What happened while nothing came is asked for at once.
        if (!isOpen) void this.refresh();
      },
    });
  }

  async #rightEnded(): Promise<void> {
    this.#unfollow();
    this.#tellEnd(false);
    await this.#lookAnew();
    setTimeout(() => void this.#lookAnew(), LOOK_AGAIN_AFTER_MS);
  }

  /** Who one is comes first: it decides what the Space shows. */
  async #lookAnew(): Promise<void> {
    await session.refresh();
    await this.refresh();
  }

  #tellEnd(isGone: boolean): void {
    for (const listener of this.#endListeners) listener(isGone);
  }

  #unfollow(): void {
    this.#unfollowNow?.();
    this.#unfollowNow = null;
    this.#told = false;
    this.counts = null;
  }

  #rest(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#rosterTimer);
    this.#unfollow();
  }
}

const feeds = new Map<string, SpaceFeed>();

/** One feed for each Space, whoever looks: the page, the bar, the stage. */
export function feedOf(id: string): SpaceFeed {
  let feed = feeds.get(id);
  if (!feed) feeds.set(id, (feed = new SpaceFeed(id)));
  return feed;
}
