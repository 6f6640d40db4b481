// Plays a Space as HLS: by the browser itself where it can, else with hls.js. Notes don't come this way.
import type { default as HlsJs } from 'hls.js/light';
import { Place } from './place';
import { hiddenAudio, type PlayerOptions, type PlayerState, type SpacePlayer } from './state';

const LIVE_WITHIN_S = 15;
const NATIVE = 'application/vnd.apple.mpegurl';

export class HlsPlayer implements SpacePlayer {
  readonly audio = hiddenAudio('player');
  readonly #place = new Place(this.audio, () => this.#offsetS);
  readonly #options: PlayerOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  #hls: HlsJs | null = null;
  #stopAtS: number | null = null;
  #problem: string | null = null;
  #closed = false;
  #wanted = false;
  readonly #address: string;

  constructor(options: PlayerOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), 250);
    this.audio.addEventListener('error', () => this.#fail());
    this.#address = `${options.base}/hls/index.m3u8`;
    if (this.audio.canPlayType(NATIVE)) this.audio.src = this.#address;
    else void this.#load(this.#address);
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
    this.seek(Math.max(0, this.#endS - 6) * 1000);
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

  async #load(address: string): Promise<void> {
    const { default: Hls } = await import('hls.js/light');
    if (this.#closed) return;
    if (!Hls.isSupported()) return this.#fail();
    // The Content-Security-Policy allows no workers made from text.
    this.#hls = new Hls({ enableWorker: false });
    this.#hls.on(Hls.Events.ERROR, (_, error) => {
      if (error.fatal) this.#fail();
    });
    this.#hls.loadSource(address);
    this.#hls.attachMedia(this.audio);
  }

  /** The playlist of a trimmed recording begins where it was trimmed, and the element counts from there. */
  get #offsetS(): number {
    const { durationMs } = this.#options;
    const { duration } = this.audio;
    return durationMs === null || !Number.isFinite(duration) ? 0 : Math.max(0, durationMs / 1000 - duration);
  }

  get #endS(): number {
    if (this.#options.durationMs !== null) return this.#options.durationMs / 1000;
    const { seekable } = this.audio;
    return seekable.length > 0 ? seekable.end(seekable.length - 1) : 0;
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
    return {
      playing: !audio.paused,
      waiting: !audio.paused && audio.readyState < HTMLMediaElement.HAVE_FUTURE_DATA && !audio.ended,
      atLive: this.#options.durationMs === null && this.#endS - this.#place.seconds < LIVE_WITHIN_S,
      positionMs: Math.round(this.#place.seconds * 1000),
      endMs: Math.round(this.#endS * 1000),
      note: null,
      problem: this.#problem,
      ended: audio.ended,
    };
  }
}
