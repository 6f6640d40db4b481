// Being on stage: one seat, one voice, one connection. Lives beside the pages, so that one can read on.
import { ApiError } from '../api/client';
import { hiddenAudio } from '../player/state';
import { session } from '../session.svelte';
import type { SpaceFeed } from '../spaces/feed.svelte';
import { toasts } from '../toasts.svelte';
import type { Space } from '../types';
import { asSentence } from '../words';
import { keepAwake } from './awake';
import { routed } from './devices.svelte';
import { SeatConnection } from './seat-connection';
import { sound } from './sound.svelte';
import { Voice } from './voice.svelte';

/** `waiting`: asked, the microphone is ready and silent. */
export type StageStatus = 'off' | 'waiting' | 'connecting' | 'on' | 'reconnecting';

const LOOK_EVERY_MS = 100;

class Stage {
  feed = $state.raw<SpaceFeed | null>(null);
  status = $state<StageStatus>('off');
  /** What keeps one from being heard: a sentence. */
  problem = $state<string | null>(null);
  /** While nobody hears one: how many seconds the seat is kept. */
  keptForS = $state<number | null>(null);
  voice = $state.raw<Voice | null>(null);
  /** Seat numbers that are heard now, one's own among them. */
  speaking = $state.raw<ReadonlySet<number>>(new Set());

  #connection: SeatConnection | null = null;
  #audio: HTMLAudioElement | null = null;
  /** Whether the Space has said that this very connection stands. */
  #wasConnected = false;
  /** Counts entries, so that what was begun for an earlier one is not finished for a later. */
  #entry = 0;
  #ends: (() => void)[] = [];

  constructor() {
    sound.onSilence = () => this.#close();
    $effect.root(() => {
      $effect(() => {
        if (session.known && !session.active) this.shut();
      });
    });
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
    this.status = 'waiting';
    const voice = new Voice(stream, async (track) => this.#connection?.send(track));
    this.voice = voice;
    const timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#ends = [
      feed.hold(),
      () => clearInterval(timer),
      () => voice.close(),
      keepAwake(),
      feed.onChange((space) => this.#follow(space)),
      feed.onNewStage(() => this.#connection?.stranded()),
      feed.onEnd((isGone) => {
        if (isGone) this.#end('You are off the stage.');
        // Silent until the Space says that the seat is still there.
        else voice.allowed = false;
      }),
    ];
  }

  /** Gives the seat back, or the place in the queue. */
  async leave(): Promise<void> {
    const { feed } = this;
    const connection = this.#connection;
    const asking = this.status === 'waiting';
    this.#connection = null;
    this.#close();
    sound.tab.release();
    if (connection?.isAnswered) await connection.leave();
    else {
      connection?.close();
      if (feed) await feed.command({ do: asking ? 'unask' : 'step_down' });
    }
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
    if (muted && this.voice) this.voice.allowed = false;
    try {
      await feed.command(muted ? { do: 'mute', account: you.id } : { do: 'unmute' });
    } finally {
      if (feed.space) this.#follow(feed.space);
    }
  }

  // --- what the Space says

  #follow(space: Space): void {
    if (this.status === 'off') return;
    const { you } = space;
    if (space.state === 'ended' || space.state === 'cancelled') return this.#end('The Space has ended.');
    if (you.seat !== null) {
      if (this.status === 'waiting') void this.#connect();
      else if (this.status === 'on') this.#compare(space, you.seat);
      if (this.voice) this.voice.allowed = this.active && !you.muted;
    } else if (this.status !== 'waiting') {
      this.#end(you.removed ? 'You were removed from this Space.' : 'You are off the stage.');
    } else if (!you.asking && you.invited_as === null) {
      this.#end('You are not in the queue any more.');
    }
  }

  /** The server may have lost us before we noticed: our packets go nowhere. */
  #compare(space: Space, seat: number): void {
    const connected = space.stage.find((person) => person.seat === seat)?.connected ?? false;
    if (connected) this.#wasConnected = true;
    else if (this.#wasConnected) this.#connection?.stranded();
  }

  #end(sentence: string): void {
    this.shut();
    toasts.say(sentence);
  }

  // --- the connection

  async #connect(): Promise<void> {
    const feed = this.feed!;
    const entry = this.#entry;
    this.status = 'connecting';
    sound.stop();
    await sound.tab.take({ spaceId: feed.id, title: feed.space?.title ?? 'a Space', speaking: true });
    if (entry !== this.#entry) return;
    this.#audio = hiddenAudio('stage');
    this.#ends.push(routed(this.#audio));
    this.#connection = new SeatConnection({
      spaceId: feed.id,
      track: this.voice!.track,
      audio: this.#audio,
      onState: (state) => this.#take(state),
      onRefused: (error) => {
        this.shut();
        toasts.fail(error);
      },
    });
  }

  #take({ heard, keptForS, error }: { heard: boolean; keptForS: number | null; error: unknown }): void {
    if (heard) this.status = 'on';
    else if (this.status === 'on') {
      this.status = 'reconnecting';
      this.#wasConnected = false;
    }
    this.keptForS = keptForS;
    this.problem = heard || error === null ? null : advice(error);
  }

  #look(): void {
    const heard = new Set(this.#connection?.heard() ?? []);
    const seat = this.feed?.space?.you.seat;
    if (this.status === 'on' && seat && this.voice?.open && this.voice.speaking) heard.add(seat);
    const changed = heard.size !== this.speaking.size || [...heard].some((one) => !this.speaking.has(one));
    if (changed) this.speaking = heard;
    if (this.keptForS !== null) this.keptForS = this.#connection?.keptForS ?? null;
  }

  #close(): void {
    this.#entry += 1;
    this.#connection?.close();
    this.#connection = null;
    for (const end of this.#ends) end();
    this.#ends = [];
    this.#audio?.remove();
    this.#audio = null;
    this.#wasConnected = false;
    this.status = 'off';
    this.problem = null;
    this.keptForS = null;
    this.feed = null;
    this.voice = null;
    this.speaking = new Set();
  }
}

/** What somebody can do who waits; to try again is our part. */
function advice(error: unknown): string {
  if (!navigator.onLine) return 'This device has no network. Check its Wi-Fi or mobile data.';
  const isOut = error instanceof ApiError && error.status === 0;
  return isOut
    ? 'The server can’t be reached. If other sites can’t either, it is your network.'
    : asSentence(error);
}

export const stage = new Stage();
