// Plays a Space as HLS, a second behind the stage: with hls.js where Media Source Extensions are, else by the browser.
// Who speaks comes with the sound both ways: as ID3 tags from hls.js, as timed metadata from the browser.
import type { ErrorData, FragParsingMetadataData, LevelDetails } from 'hls.js';
import type { default as HlsJs } from 'hls.js/light';
import { parseNote, readId3 } from './boxes';
import { backoffMs } from './lag';
import { Notes } from './notes';
import { Place } from './place';
import { hiddenAudio, type PlayerOptions, type PlayerState, type SpacePlayer } from './state';

const NATIVE = 'application/vnd.apple.mpegurl';
/** Three segments behind, or as far as the playlist asks for with low latency; either may be a little late. */
const SEGMENTS_LIVE_WITHIN_S = 16;
const LIVE_WITHIN_S = 4;
const NOTE = 'folkmoot.note';
/** What hls.js says of an answer that will not change: the Space is over, or not for this listener. */
const OVER = [401, 403, 404, 409, 410];

/** More than what adding rounded durations up comes to, less than any piece of sound. */
const HAIR_S = 0.002;

interface StreamController {
  getFragmentAtPosition(bufferEndS: number, endS: number, details: LevelDetails): unknown;
}

/**
 * hls.js 1.7 asks for the segment that follows the buffer. By low latency it allows no tolerance there: where durations
 * in the playlist come to a millionth more than the sound, it asks for a segment that it has, and waits for ever.
 */
function allowAHair(hls: HlsJs): void {
  const controller = (hls as unknown as { streamController?: StreamController }).streamController;
  if (!controller?.getFragmentAtPosition) return; // another version
  const find = controller.getFragmentAtPosition.bind(controller);
  controller.getFragmentAtPosition = (bufferEndS, endS, details) => find(bufferEndS + HAIR_S, endS, details);
}

export class HlsPlayer implements SpacePlayer {
  readonly audio = hiddenAudio('player');
  readonly #place = new Place(this.audio, () => this.#offsetS);
  readonly #notes = new Notes();
  readonly #options: PlayerOptions;
  readonly #address: string;
  readonly #timer: ReturnType<typeof setInterval>;
  #hls: HlsJs | null = null;
  /** Where the element's zero lies on a live Space's timeline. */
  #liveOffsetS = 0;
  #stopAtS: number | null = null;
  #problem: string | null = null;
  #attempts = 0;
  #ended = false;
  #closed = false;
  #wanted = false;

  /** Without low latency it asks for a tenth as much, and is a few segments behind. */
  constructor(
    options: PlayerOptions,
    private readonly lowLatency = true,
  ) {
    this.#options = options;
    options.onAudio(this.audio);
    this.#timer = setInterval(() => this.#look(), 250);
    this.#address = `${options.base}/hls/index.m3u8`;
    if (!('MediaSource' in globalThis) && this.audio.canPlayType(NATIVE)) this.#playNatively();
    else void this.#load();
    if (options.durationMs !== null) this.#place.seconds = options.startMs / 1000;
  }

  play(): Promise<void> {
    this.#wanted = true;
    return this.audio.play();
  }

  pause(): void {
    this.#wanted = false;
    this.audio.pause();
  }

  seek(positionMs: number): void {
    this.#stopAtS = null;
    this.#place.seconds = positionMs / 1000;
  }

  goLive(): void {
    const edgeS = this.#hls?.liveSyncPosition ?? this.#seekableEndS - (this.#hls ? 1 : 6);
    this.seek(Math.max(0, edgeS + this.#offsetS) * 1000);
    if (this.#wanted) void this.audio.play();
  }

  /** Where it plays on the timeline. */
  get positionS(): number {
    return this.#place.seconds;
  }

  playRange(fromMs: number, toMs: number): void {
    this.seek(fromMs);
    this.#stopAtS = toMs / 1000;
  }

  takeOut(): void {
    // Opened anew where it is: what lies ahead and behind is loaded again, from the addresses of now.
    const at = this.#place.seconds;
    if (this.#hls) this.#hls.loadSource(this.#address);
    else this.audio.src = this.#address;
    this.#place.seconds = at;
    if (this.#wanted) void this.audio.play().catch(() => undefined);
  }

  forgetBehind(): void {
    // Opening it anew, as `takeOut` does, would cost thousands a gap: it waits for the word that something was.
  }

  set speed(rate: number) {
    this.audio.playbackRate = rate;
  }

  get speed(): number {
    return this.audio.playbackRate;
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#hls?.destroy();
    this.audio.remove();
  }

  #playNatively(): void {
    this.audio.addEventListener('error', () => this.#fail());
    this.audio.textTracks.addEventListener('addtrack', ({ track }) => {
      if (track?.kind !== 'metadata') return;
      track.mode = 'hidden';
      track.addEventListener('cuechange', () => this.#takeCues(track));
    });
    this.audio.src = this.#address;
  }

  /** Safari's DataCues: `value` is the ID3 frame, with the text in `data`. */
  #takeCues(track: TextTrack): void {
    for (const cue of track.activeCues ?? []) {
      const { value } = cue as TextTrackCue & { value?: { info?: string; data?: unknown } };
      if (value?.info !== NOTE || typeof value.data !== 'string') continue;
      const note = parseNote(value.data);
      if (note) this.#notes.remember({ atSeconds: cue.startTime, note });
    }
  }

  async #load(): Promise<void> {
    const { default: Hls } = await import('hls.js/light');
    if (this.#closed) return;
    if (!Hls.isSupported()) return this.#fail();
    const hls = new Hls({
      // The Content-Security-Policy allows no workers made from text.
      enableWorker: false,
      lowLatencyMode: this.lowLatency,
      maxLiveSyncPlaybackRate: 1.05,
      // A stall costs a part more of distance, not a second.
      liveSyncOnStallIncrease: 0.25,
      backBufferLength: 300,
    });
    this.#hls = hls;
    allowAHair(hls);
    hls.on(Hls.Events.ERROR, (_, error) => error.fatal && this.#recover(hls, error));
    hls.on(Hls.Events.FRAG_PARSING_METADATA, (_, data) => this.#takeTags(data));
    hls.on(Hls.Events.LEVEL_UPDATED, (_, { details }) => this.#takeDetails(details));
    hls.loadSource(this.#address);
    hls.attachMedia(this.audio);
  }

  #takeTags({ samples }: FragParsingMetadataData): void {
    for (const { pts, data } of samples) {
      const note = readId3(data);
      if (note) this.#notes.remember({ atSeconds: pts, note });
    }
  }

  /** A segment's number says where it begins: that many times the target duration, to a frame or three. */
  #takeDetails(details: LevelDetails): void {
    this.#attempts = 0;
    this.#problem = null;
    const last = details.fragments.at(-1);
    if (details.live && last) this.#liveOffsetS = last.sn * details.targetduration - last.start;
  }

  /** hls.js has given up: at what can't change, or at what may in a moment. */
  #recover(hls: HlsJs, error: ErrorData): void {
    if (OVER.includes(error.response?.code ?? 0)) {
      this.#ended = true;
      return this.#look();
    }
    const isSound = error.type === 'mediaError';
    if (this.#attempts > 3 && isSound) return this.#fail();
    if (!isSound) this.#problem = 'The network is gone. The sound goes on when it is back.';
    setTimeout(
      () => {
        if (this.#closed) return;
        if (isSound) hls.recoverMediaError();
        else hls.loadSource(this.#address);
        if (this.#wanted) void this.audio.play().catch(() => undefined);
      },
      backoffMs(this.#attempts++, Math.random()),
    );
    this.#look();
  }

  /** The playlist of a trimmed recording begins where it was trimmed, and the element counts from there. */
  get #offsetS(): number {
    const { durationMs } = this.#options;
    if (durationMs === null) return this.#liveOffsetS;
    const { duration } = this.audio;
    return Number.isFinite(duration) ? Math.max(0, durationMs / 1000 - duration) : 0;
  }

  get #seekableEndS(): number {
    const { seekable } = this.audio;
    return seekable.length > 0 ? seekable.end(seekable.length - 1) : 0;
  }

  get #endS(): number {
    const { durationMs } = this.#options;
    return durationMs === null ? this.#seekableEndS + this.#offsetS : durationMs / 1000;
  }

  #fail(): void {
    this.#problem = 'This browser could not play the sound. Another browser may.';
    this.#look();
  }

  #look(): void {
    if (this.#stopAtS !== null && this.#place.seconds >= this.#stopAtS) {
      this.#stopAtS = null;
      this.audio.pause();
    }
    this.#options.onChange(this.#state);
  }

  get #state(): PlayerState {
    const { audio } = this;
    const isLive = this.#options.durationMs === null;
    const withinS = this.#hls && this.lowLatency ? LIVE_WITHIN_S : SEGMENTS_LIVE_WITHIN_S;
    const ended = audio.ended || this.#ended;
    return {
      playing: !audio.paused,
      waiting: !audio.paused && audio.readyState < HTMLMediaElement.HAVE_FUTURE_DATA && !ended,
      atLive: isLive && this.#endS - this.#place.seconds < withinS,
      positionMs: Math.round(this.#place.seconds * 1000),
      endMs: Math.round(this.#endS * 1000),
      note: this.#notes.at(audio.currentTime),
      roster: this.#notes.roster,
      calls: this.#notes.calls,
      word: null,
      problem: this.#problem,
      ended,
    };
  }
}
