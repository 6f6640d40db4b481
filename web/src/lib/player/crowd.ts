// Plays a live Space that may have no room for another listener: by its stream, or by HLS until there is room.
//
// Coming back is a matter of two players, one that is heard and one that gets ready in silence beside it, so that
// there is neither a gap nor an echo; and it goes on where the other one was, and catches up by playing 5% faster.
import { HlsPlayer } from './hls';
import { Player } from './player';
import type { Codec } from './source';
import type { PlayerOptions, PlayerState, SpacePlayer } from './state';

const WORD = 'So many listen that you hear it a few seconds later. You move up when there is room.';
/** A crowd that was told the same doesn't ask in the same moment. */
const LATE_SHARE = 0.5;
const READY_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 100;

export class CrowdPlayer implements SpacePlayer {
  readonly #options: PlayerOptions & { codec: Codec };
  #heard: Player | HlsPlayer;
  /** Gets ready to be heard instead. */
  #next: Player | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wanted = false;
  #revision: number;

  constructor(options: PlayerOptions & { codec: Codec }) {
    this.#options = options;
    this.#revision = options.revision;
    this.#heard = this.#stream();
  }

  async play(): Promise<void> {
    this.#wanted = true;
    await this.#heard.play();
  }

  pause(): void {
    this.#wanted = false;
    this.#heard.pause();
  }

  seek(positionMs: number): void {
    this.#heard.seek(positionMs);
  }

  goLive(): void {
    this.#heard.goLive();
  }

  playRange(fromMs: number, toMs: number): void {
    this.#heard.playRange(fromMs, toMs);
  }

  takeOut(fromMs: number, toMs: number, revision: number): void {
    this.#revision = revision;
    this.#heard.takeOut(fromMs, toMs, revision);
    this.#next?.takeOut(fromMs, toMs, revision);
  }

  forgetBehind(): void {
    this.#heard.forgetBehind();
  }

  set speed(rate: number) {
    this.#heard.speed = rate;
  }

  get speed(): number {
    return this.#heard.speed;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#next?.close();
    this.#heard.close();
  }

  #stream(): Player {
    const player: Player = new Player({
      ...this.#options,
      revision: this.#revision,
      onChange: (state) => player === this.#heard && this.#options.onChange(state),
      onDeaf: () => player === this.#heard && this.#options.onDeaf(),
      onFull: (againMs) => (player === this.#next ? this.#stay(againMs) : this.#goByHls(againMs)),
    });
    return player;
  }

  #goByHls(againMs: number): void {
    this.#heard.close();
    const onChange = (state: PlayerState) => this.#options.onChange({ ...state, word: WORD });
    const options = { ...this.#options, revision: this.#revision, onChange };
    this.#heard = new HlsPlayer(options, false);
    // What the browser thinks of it was said when play was pressed.
    if (this.#wanted) void this.#heard.play().catch(() => undefined);
    this.#askAgain(againMs);
  }

  #askAgain(againMs: number): void {
    this.#timer = setTimeout(() => this.#ask(againMs), againMs * (1 + Math.random() * LATE_SHARE));
  }

  #ask(againMs: number): void {
    // Who doesn't listen takes nobody's place.
    if (!this.#wanted) return this.#askAgain(againMs);
    this.#next = this.#stream();
    this.#getReady(this.#next, againMs, performance.now());
  }

  /** There is still no room. */
  #stay(againMs: number): void {
    clearTimeout(this.#timer);
    this.#next?.close();
    this.#next = null;
    this.#askAgain(againMs);
  }

  /** Until `next` has the sound from where one hears it now. */
  #getReady(next: Player, againMs: number, sinceMs: number): void {
    if (next.isReadyAt(this.#heard.positionS)) return this.#moveUp(next);
    if (performance.now() - sinceMs > READY_WITHIN_MS) return this.#stay(againMs);
    this.#timer = setTimeout(() => this.#getReady(next, againMs, sinceMs), LOOK_EVERY_MS);
  }

  #moveUp(next: Player): void {
    const before = this.#heard;
    before.pause();
    next.goOnFrom(before.positionS);
    this.#next = null;
    this.#heard = next;
    if (this.#wanted) void next.play().catch(() => undefined);
    before.close();
  }
}
