// What every way of playing a Space offers, whichever technique is beneath it.
import type { Note } from './boxes';

export interface PlayerState {
  playing: boolean;
  /** Nothing to play right now, and it is on its way. */
  waiting: boolean;
  /** At the live edge, rather than a step back. */
  atLive: boolean;
  positionMs: number;
  /** Where the sound ends: the live edge, or the end of the recording. */
  endMs: number;
  /** What was said of the sound at this position, or null where the technique carries no notes. */
  note: Note | null;
  /** The newest roster that came with the sound, also while one listens a step back. */
  roster: number;
  /** The calls that came with the sound last: another array whenever there is a new one. */
  calls: readonly string[];
  /** A sentence about how it is played, when that is not as usual. */
  word: string | null;
  /** A sentence when it does not go on by itself. */
  problem: string | null;
  ended: boolean;
}

export interface PlayerOptions {
  /** `/api/folkmoot/v1/spaces/{id}` */
  base: string;
  /** The length of the recording, or null while the Space is live. */
  durationMs: number | null;
  startMs: number;
  /** Grows with each range that is taken out: caches know the sound by another address then. */
  revision: number;
  onChange: (state: PlayerState) => void;
  /** What is going to sound, also when another element does later; it belongs to the player. */
  onAudio: (audio: HTMLAudioElement) => void;
  /** Open the Space anew: the way it is played now does not get through, and another one does. */
  onDeaf: () => void;
}

export interface SpacePlayer {
  /** Rejects when the browser wants a gesture first. */
  play(): Promise<void>;
  pause(): void;
  /** Goes to a place on the timeline; beyond the edge means live. */
  seek(positionMs: number): void;
  goLive(): void;
  /** Goes to `fromMs`, and pauses once `toMs` is heard. */
  playRange(fromMs: number, toMs: number): void;
  /** Lets go of what it holds of a range that was taken out; `revision` as in the options. */
  takeOut(fromMs: number, toMs: number, revision: number): void;
  /** Something may have been taken out, and among many it takes a while to learn what: nothing heard is kept. */
  forgetBehind(): void;
  speed: number;
  close(): void;
}

/** An audio element that is part of the document, as browsers and tests like it, and not seen. */
export function hiddenAudio(name: string): HTMLAudioElement {
  const audio = document.createElement('audio');
  audio.hidden = true;
  audio.dataset.sound = name;
  document.body.append(audio);
  return audio;
}
