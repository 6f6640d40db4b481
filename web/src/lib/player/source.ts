// A SourceBuffer that is fed one append at a time, and the notes that came with the sound.

import { BoxSplitter, boxType, concatenate, readNote, type Note } from './boxes';
import { Notes } from './notes';

export const MIME = { opus: 'audio/mp4; codecs="opus"', aac: 'audio/mp4; codecs="mp4a.40.2"' } as const;
export type Codec = keyof typeof MIME;

/** Notes, and what the server sends while it has nothing to say. */
const NO_SOUND = ['emsg', 'free'];
const KEEP_BEHIND_S = 300;
const KEEP_BEHIND_WHEN_FULL_S = 10;

/**
 * The codec that this browser plays through Media Source Extensions, or null if it has none. An iPhone's
 * ManagedMediaSource is not asked: it needs the page's script to go on, which stops a while after the screen is
 * locked, and the system's own HLS doesn't.
 */
export function playableCodec(): Codec | null {
  const source = globalThis.MediaSource;
  if (!source) return null;
  if (source.isTypeSupported(MIME.opus)) return 'opus';
  return source.isTypeSupported(MIME.aac) ? 'aac' : null;
}

/** The fMP4 stream of one Space on a media element: the element's time is the Space's timeline, in seconds. */
export class Source {
  readonly #media = new MediaSource();
  readonly #notes = new Notes();
  #buffer: SourceBuffer | null = null;
  #turn: Promise<void>;

  constructor(
    readonly audio: HTMLAudioElement,
    readonly codec: Codec,
    /** The length of a recording, or null for what has no end yet. */
    durationS: number | null,
  ) {
    const url = URL.createObjectURL(this.#media);
    this.#turn = new Promise<void>((resolve) => {
      this.#media.addEventListener('sourceopen', () => resolve(), { once: true });
    }).then(() => {
      URL.revokeObjectURL(url);
      this.#buffer = this.#media.addSourceBuffer(MIME[codec]);
      // Of an endless source nothing can be sought that isn't buffered.
      if (durationS !== null) this.#media.duration = durationS;
    });
    audio.src = url;
  }

  /** Appends boxes of one response, through a splitter of its own: responses may arrive side by side. */
  reader(): (bytes: Uint8Array) => Promise<void> {
    const splitter = new BoxSplitter();
    return (bytes) => {
      const boxes = splitter.push(bytes);
      for (const box of boxes) {
        const note = readNote(box);
        if (note) this.#notes.remember(note);
      }
      const sound = boxes.filter((box) => !NO_SOUND.includes(boxType(box)));
      return sound.length === 0 ? Promise.resolve() : this.#append(concatenate(sound));
    };
  }

  /** Lets go of a stretch, in seconds: it is fetched anew when it is its turn. */
  forget(from: number, until: number): void {
    this.#turn = this.#turn
      .then(async () => {
        if (!this.#buffer || this.#media.readyState !== 'open') return;
        this.#buffer.remove(from, until);
        await settled(this.#buffer);
      })
      .catch(() => undefined);
  }

  /** Buffered stretches in seconds. */
  ranges(): [number, number][] {
    const buffered = this.#buffer?.buffered;
    return Array.from({ length: buffered?.length ?? 0 }, (_, i) => [buffered!.start(i), buffered!.end(i)]);
  }

  get end(): number {
    return this.ranges().at(-1)?.[1] ?? 0;
  }

  get roster(): number {
    return this.#notes.roster;
  }

  get calls(): readonly string[] {
    return this.#notes.calls;
  }

  /** The note that holds at a time: what is heard then. */
  noteAt(seconds: number): Note | null {
    return this.#notes.at(seconds);
  }

  close(): void {
    this.audio.removeAttribute('src');
    this.audio.load();
  }

  #append(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const appended = this.#turn.then(() => this.#appendNow(bytes));
    // One piece that can't be played must not silence all that follow.
    this.#turn = appended.catch(() => undefined);
    return appended;
  }

  async #appendNow(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const buffer = this.#buffer;
    if (!buffer || this.#media.readyState !== 'open') return;
    await this.#forget(buffer, KEEP_BEHIND_S);
    try {
      buffer.appendBuffer(bytes);
    } catch (error) {
      if ((error as DOMException).name !== 'QuotaExceededError') throw error;
      // Paused for an hour: what comes now is left out, and fetched when it is its turn.
      return this.#forget(buffer, KEEP_BEHIND_WHEN_FULL_S);
    }
    await settled(buffer);
  }

  async #forget(buffer: SourceBuffer, keepS: number): Promise<void> {
    const from = this.ranges()[0]?.[0];
    const until = this.audio.currentTime - keepS;
    if (from === undefined || from >= until - keepS / 10) return;
    buffer.remove(from, until);
    await settled(buffer);
  }
}

function settled(buffer: SourceBuffer): Promise<void> {
  if (!buffer.updating) return Promise.resolve();
  return new Promise((resolve) => buffer.addEventListener('updateend', () => resolve(), { once: true }));
}
