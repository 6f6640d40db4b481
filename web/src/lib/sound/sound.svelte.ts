// What this browser hears, wherever on the site one reads. The page and the bar look at it; neither owns it.
import { SPACES } from '../api/spaces';
import type { SpaceFeed } from '../spaces/feed.svelte';
import { openPlayer } from '../player/open';
import type { PlayerState, SpacePlayer } from '../player/state';
import { toasts } from '../toasts.svelte';
import { TabOwner, type Channel, type Locks, type Playing } from './tab-owner';

export type SoundKind = 'off' | 'live' | 'replay';

class Sound {
  feed = $state.raw<SpaceFeed | null>(null);
  kind = $state<SoundKind>('off');
  player = $state.raw<PlayerState | null>(null);
  speed = $state(1);
  elsewhere = $state.raw<Playing | null>(null);

  readonly tab = new TabOwner(
    navigator.locks as Locks | undefined,
    new BroadcastChannel('folkmoot-sound') as Channel,
    () => this.#silence(),
    (playing) => (this.elsewhere = playing),
  );
  /** What else has to fall silent when another tab takes the sound: the stage. */
  onSilence: () => void = () => undefined;
  #player: SpacePlayer | null = null;
  #release: () => void = () => undefined;

  constructor() {
    addEventListener('pagehide', () => this.tab.release());
  }

  hears(id: string): boolean {
    return this.feed?.id === id && this.kind !== 'off';
  }

  async listen(feed: SpaceFeed): Promise<void> {
    await this.#open(feed, 'live', null, 0);
  }

  async replay(feed: SpaceFeed, atMs?: number): Promise<void> {
    const recording = feed.space?.replay;
    if (!recording) return;
    await this.#open(feed, 'replay', recording.duration_ms, atMs ?? recording.start_ms);
  }

  stop(): void {
    if (this.kind === 'off') return;
    this.#close();
    this.tab.release();
  }

  async toggle(): Promise<void> {
    if (this.player?.playing) return this.pause();
    const atEnd = this.kind === 'replay' && this.player!.positionMs >= this.player!.endMs - 200;
    if (atEnd) this.seek(this.feed?.space?.replay?.start_ms ?? 0);
    await this.#play();
  }

  pause(): void {
    this.#player?.pause();
  }

  seek(positionMs: number): void {
    const first = this.kind === 'replay' ? (this.feed?.space?.replay?.start_ms ?? 0) : 0;
    this.#player?.seek(Math.max(first, positionMs));
  }

  step(ms: number): void {
    if (this.player) this.seek(this.player.positionMs + ms);
  }

  goLive(): void {
    this.#player?.goLive();
    void this.#play();
  }

  setSpeed(rate: number): void {
    this.speed = rate;
    if (this.#player) this.#player.speed = rate;
  }

  async playRange(fromMs: number, toMs: number): Promise<void> {
    this.#player?.playRange(fromMs, toMs);
    await this.#play();
  }

  async #open(feed: SpaceFeed, kind: SoundKind, durationMs: number | null, startMs: number): Promise<void> {
    this.#close();
    const title = feed.space?.title ?? 'a Space';
    await this.tab.take({ spaceId: feed.id, title, speaking: false });
    this.#release = feed.hold();
    this.feed = feed;
    this.kind = kind;
    this.speed = 1;
    this.#player = await openPlayer({
      base: `${SPACES}/${feed.id}`,
      durationMs,
      startMs,
      onChange: (state) => this.#take(state),
    });
    await this.#play();
  }

  async #play(): Promise<void> {
    try {
      await this.#player?.play();
    } catch {
      toasts.say('The browser wants one more press on Play before it makes a sound.');
    }
  }

  #take(state: PlayerState): void {
    this.player = state;
    if (state.note && state.atLive) this.feed?.noticeRoster(state.note.roster);
    if (state.ended && this.kind === 'live' && this.feed?.space?.state === 'live') void this.feed.refresh();
  }

  #close(): void {
    this.#player?.close();
    this.#player = null;
    this.#release();
    this.#release = () => undefined;
    this.kind = 'off';
    this.player = null;
    this.feed = null;
  }

  #silence(): void {
    this.#close();
    this.onSilence();
  }
}

export const sound = new Sound();
