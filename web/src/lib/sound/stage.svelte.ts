// Being on stage: one seat, one microphone, one connection. Lives beside the pages, so that one can read on.
import { backoffMs } from '../player/lag';
import { hiddenAudio } from '../player/state';
import { ApiError } from '../api/client';
import type { SpaceFeed } from '../spaces/feed.svelte';
import { toasts } from '../toasts.svelte';
import type { Space } from '../types';
import { asSentence } from '../words';
import { closeStream, measure } from './microphone';
import { sound } from './sound.svelte';
import { connect, type Whip } from './whip';

/** `waiting`: asked, the microphone is ready and silent. */
export type StageStatus = 'off' | 'waiting' | 'connecting' | 'on' | 'reconnecting';

const LOOK_EVERY_MS = 100;

class Stage {
  feed = $state.raw<SpaceFeed | null>(null);
  status = $state<StageStatus>('off');
  problem = $state<string | null>(null);
  level = $state(0);
  /** Seat numbers that are heard now, one's own among them. */
  speaking = $state.raw<ReadonlySet<number>>(new Set());

  #stream: MediaStream | null = null;
  #whip: Whip | null = null;
  #audio: HTMLAudioElement | null = null;
  #ownSpeaking = false;
  #attempt = 0;
  /** Whether the Space has said that this very connection stands. */
  #wasConnected = false;
  /** Counts entries, so that what was begun for an earlier one is not finished for a later. */
  #entry = 0;
  #ends: (() => void)[] = [];

  constructor() {
    sound.onSilence = () => this.#close();
  }

  get active(): boolean {
    return this.status !== 'off' && this.status !== 'waiting';
  }

  isIn(id: string): boolean {
    return this.feed?.id === id && this.status !== 'off';
  }

  /** Goes on stage with this microphone as soon as the Space says that there is a seat. */
  enter(feed: SpaceFeed, stream: MediaStream): void {
    this.#close();
    this.feed = feed;
    this.#stream = stream;
    this.status = 'waiting';
    this.problem = null;
    setOpen(stream, false);
    for (const track of stream.getAudioTracks())
      track.addEventListener('ended', () => this.#microphoneGone());
    const release = feed.hold();
    const timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    const unmeasure = measure(stream, (now) => {
      this.level = now.level;
      this.#ownSpeaking = now.speaking;
    });
    this.#ends = [
      release,
      () => clearInterval(timer),
      unmeasure,
      feed.onChange((space) => this.#follow(space)),
      feed.onEnd((isGone) => {
        if (isGone) this.#end('You are off the stage.');
        // Silent until the Space says that the seat is still there.
        else setOpen(this.#stream, false);
      }),
    ];
  }

  /** Gives the seat back, or the place in the queue. */
  async leave(): Promise<void> {
    const { feed } = this;
    const whip = this.#whip;
    const asking = this.status === 'waiting';
    this.#whip = null;
    this.#close();
    sound.tab.release();
    if (whip) await whip.leave();
    else if (feed) await feed.command({ do: asking ? 'unask' : 'step_down' });
    await feed?.refresh();
  }

  /** Leaves at once and asks nobody: there is no right to a seat any more. */
  shut(): void {
    if (this.status === 'off') return;
    this.#close();
    sound.tab.release();
  }

  /** Silence must not wait for the network; opening again does. */
  async setMuted(muted: boolean): Promise<void> {
    const { feed } = this;
    const you = feed?.space?.stage.find((person) => person.seat === feed.space?.you.seat)?.account;
    if (!feed || !you) return;
    if (muted) setOpen(this.#stream, false);
    try {
      await feed.command(muted ? { do: 'mute', account: you.id } : { do: 'unmute' });
    } finally {
      if (feed.space) this.#follow(feed.space);
    }
  }

  /** Unplugged, or taken away by the browser. Stopping it ourselves says nothing. */
  #microphoneGone(): void {
    this.problem = 'Your microphone is gone. Leave the stage, and come back with another one.';
  }

  // --- what the Space says

  #follow(space: Space): void {
    if (this.status === 'off') return;
    const { you } = space;
    if (space.state === 'ended' || space.state === 'cancelled') return this.#end('The Space has ended.');
    if (you.seat !== null) {
      setOpen(this.#stream, this.status !== 'waiting' && !you.muted);
      if (this.status === 'waiting') void this.#connect();
      else if (this.status === 'on') this.#compare(space, you.seat);
    } else if (this.status !== 'waiting') {
      this.#end(you.removed ? 'You were removed from this Space.' : 'You are off the stage.');
    } else if (!you.asking && you.invited_as === null) {
      this.#end('You are not in the queue any more.');
    }
  }

  /** The server lost us before we noticed: its stage was restarted, and our packets go nowhere. */
  #compare(space: Space, seat: number): void {
    const connected = space.stage.find((person) => person.seat === seat)?.connected ?? false;
    if (connected) this.#wasConnected = true;
    else if (this.#wasConnected) this.#reconnect(this.#entry);
  }

  #end(sentence: string): void {
    this.shut();
    toasts.say(sentence);
  }

  // --- the connection

  async #connect(): Promise<void> {
    const feed = this.feed!;
    const entry = this.#entry;
    this.status = this.status === 'waiting' ? 'connecting' : 'reconnecting';
    this.#wasConnected = false;
    sound.stop();
    await sound.tab.take({ spaceId: feed.id, title: feed.space?.title ?? 'a Space', speaking: true });
    this.#audio ??= hiddenAudio('stage');
    try {
      const whip = await connect(feed.id, this.#stream!, this.#audio, () => this.#reconnect(entry));
      if (entry !== this.#entry) return whip.close();
      this.#whip = whip;
      this.#attempt = 0;
      this.status = 'on';
      this.problem = null;
      setOpen(this.#stream, !feed.space?.you.muted);
    } catch (error) {
      if (entry === this.#entry) this.#retry(error, entry);
    }
  }

  #retry(error: unknown, entry: number): void {
    const final =
      error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429;
    if (final) {
      this.shut();
      return toasts.fail(error);
    }
    this.problem = asSentence(error);
    this.status = 'reconnecting';
    const waitMs = backoffMs(this.#attempt++, Math.random());
    setTimeout(() => {
      if (entry === this.#entry) void this.#connect();
    }, waitMs);
  }

  /** There is no way to mend a failed connection but a new one, for the same seat. */
  #reconnect(entry: number): void {
    if (entry !== this.#entry) return;
    this.#whip?.close();
    this.#whip = null;
    this.status = 'reconnecting';
    void this.#connect();
  }

  #look(): void {
    const heard = new Set(this.#whip?.heard() ?? []);
    const you = this.feed?.space?.you;
    if (this.status === 'on' && you?.seat && !you.muted && this.#ownSpeaking) heard.add(you.seat);
    const changed = heard.size !== this.speaking.size || [...heard].some((seat) => !this.speaking.has(seat));
    if (changed) this.speaking = heard;
  }

  #close(): void {
    this.#entry += 1;
    this.#whip?.close();
    this.#whip = null;
    for (const end of this.#ends) end();
    this.#ends = [];
    closeStream(this.#stream);
    this.#stream = null;
    this.#audio?.remove();
    this.#audio = null;
    this.#attempt = 0;
    this.status = 'off';
    this.problem = null;
    this.feed = null;
    this.level = 0;
    this.speaking = new Set();
  }
}

function setOpen(stream: MediaStream | null, open: boolean): void {
  for (const track of stream?.getAudioTracks() ?? []) track.enabled = open;
}

export const stage = new Stage();
