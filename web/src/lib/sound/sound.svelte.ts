// What this browser hears, wherever on the site one reads. The page and the bar look at it; neither owns it.
import { SPACES } from '../api/spaces';
import type { SpaceFeed } from '../spaces/feed.svelte';
import { openPlayer } from '../player/open';
import type { PlayerState, SpacePlayer } from '../player/state';
import type { Stretch } from '../player/silence';
import { remember, remembered } from '../remembered';
import { newMarks } from '../spaces/redactions';
import { toasts } from '../toasts.svelte';
import { routed } from './devices.svelte';
import { notePosition } from './positions';
import { Skipper } from './skipper';
import { TabOwner, type Channel, type Locks, type Playing } from './tab-owner';

export type SoundKind = 'off' | 'live' | 'replay';

const SPEED = 'speed';
const SKIP_SILENCE = 'skip-silence';
const NOTED_EVERY_MS = 5_000;

class Sound {
  feed = $state.raw<SpaceFeed | null>(null);
  kind = $state<SoundKind>('off');
  player = $state.raw<PlayerState | null>(null);
  /** Of replays: what is live has its own. */
  speed = $state(remembered(SPEED, 1));
  skipsSilence = $state(remembered(SKIP_SILENCE, false));
  /** How much of this replay was jumped over. */
  savedMs = $state(0);
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
  #skipper: Skipper | null = null;
  /** A stretch was asked for, and is played as it is. */
  #isRange = false;
  #notedMs = 0;
  #release: () => void = () => undefined;

  constructor() {
    addEventListener('pagehide', () => {
      this.#note();
      this.tab.release();
    });
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
    await this.#open(feed, 'replay', recording.end_ms, atMs ?? recording.start_ms);
  }

  stop(): void {
    if (this.kind === 'off') return;
    this.#close();
    this.tab.release();
  }

  async toggle(): Promise<void> {
    if (this.player?.playing) return this.pause();
    this.#isRange = false;
    const atEnd = this.kind === 'replay' && this.player!.positionMs >= this.player!.endMs - 200;
    if (atEnd) this.seek(this.feed?.space?.replay?.start_ms ?? 0);
    await this.#play();
  }

  pause(): void {
    this.#player?.pause();
    this.#note();
  }

  seek(positionMs: number): void {
    this.#isRange = false;
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
    remember(SPEED, rate);
    if (this.#player && this.kind === 'replay') this.#player.speed = rate;
  }

  setSkipsSilence(skips: boolean): void {
    this.skipsSilence = skips;
    remember(SKIP_SILENCE, skips);
  }

  async playRange(fromMs: number, toMs: number): Promise<void> {
    this.#isRange = true;
    this.#player?.playRange(fromMs, toMs);
    await this.#play();
  }

  async #open(feed: SpaceFeed, kind: SoundKind, durationMs: number | null, startMs: number): Promise<void> {
    this.#close();
    const title = feed.space?.title ?? 'a Space';
    await this.tab.take({ spaceId: feed.id, title, speaking: false });
    const releaseFeed = feed.hold();
    const unroutes: (() => void)[] = [];
    this.feed = feed;
    this.kind = kind;
    const player = openPlayer({
      base: `${SPACES}/${feed.id}`,
      durationMs,
      startMs,
      revision: feed.space?.redactions.length ?? 0,
      onChange: (state) => this.#take(state),
      onAudio: (audio) => unroutes.push(routed(audio)),
      onDeaf: () =>
        this.feed === feed && this.kind === kind && void this.#open(feed, kind, durationMs, startMs),
    });
    this.#player = player;
    const known = new Set(feed.space?.redactions.map(({ id }) => id));
    const unheed = feed.onChange((space) => {
      for (const mark of newMarks(space.redactions, known)) {
        known.add(mark.id);
        player.takeOut(mark.from_ms, mark.to_ms, known.size);
      }
    });
    this.#release = () => {
      releaseFeed();
      unheed();
      for (const unroute of unroutes) unroute();
    };
    if (durationMs !== null) this.#beginReplay(player, feed, durationMs);
    await this.#play();
  }

  #beginReplay(player: SpacePlayer, feed: SpaceFeed, durationMs: number): void {
    player.speed = this.speed;
    this.savedMs = 0;
    this.#skipper = new Skipper(feed.id, [feed.space?.replay?.start_ms ?? 0, durationMs]);
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
    if (this.kind === 'live' && this.feed?.noticeRoster(state.roster)) this.#player?.forgetBehind();
    if (this.kind === 'live') void this.feed?.noticeCalls(state.calls);
    if (this.kind === 'replay' && state.playing) this.#goOn(state.positionMs);
    if (state.ended && this.kind === 'live' && this.feed?.space?.state === 'live') void this.feed.refresh();
  }

  /** Ten times a second while a replay plays. */
  #goOn(positionMs: number): void {
    if (Math.abs(positionMs - this.#notedMs) > NOTED_EVERY_MS) this.#note();
    if (!this.skipsSilence || this.#isRange) return;
    const taken = (this.feed?.space?.redactions ?? []).map((one): Stretch => [one.from_ms, one.to_ms]);
    const to = this.#skipper?.next(positionMs, taken) ?? null;
    if (to === null) return;
    this.#player?.seek(to);
    this.savedMs = this.#skipper!.savedMs;
  }

  /** Where one stopped, for the next time. */
  #note(): void {
    const { player, feed } = this;
    if (this.kind !== 'replay' || !player || !feed) return;
    this.#notedMs = player.positionMs;
    const startMs = feed.space?.replay?.start_ms ?? 0;
    notePosition(feed.id, player.positionMs, [startMs, player.endMs]);
  }

  #close(): void {
    this.#note();
    this.#skipper = null;
    this.#isRange = false;
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
