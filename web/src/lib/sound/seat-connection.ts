// Keeps a seat connected: offers anew when the connection is lost, and lets the one before go only when another
// has taken its place. Framework-free; `reconnection.ts` decides when.
import { ApiError } from '../api/client';
import { onReturn } from '../back';
import { Flow } from './flow';
import { FIRST, after, keptForS, offered, type Sign } from './reconnection';
import { connect, type Whip } from './whip';

/** A black hole answers never; the server waits for a stage that is just starting. */
const ANSWERED_WITHIN_MS = 4_000;
const LISTEN_EVERY_MS = 200;

export interface SeatConnectionOptions {
  spaceId: string;
  track: MediaStreamTrack;
  audio: HTMLAudioElement;
  /** `heard`: whether sound can flow. `error`: why the last offer was not answered. */
  onState: (state: { heard: boolean; keptForS: number | null; error: unknown }) => void;
  /** There is no seat to connect any more. */
  onRefused: (error: unknown) => void;
}

export class SeatConnection {
  readonly #options: SeatConnectionOptions;
  readonly #stopHearing: (() => void)[];
  readonly #flow = new Flow();
  #state = FIRST;
  #track: MediaStreamTrack;
  #whip: Whip | null = null;
  #resumeToken: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempt: AbortController | null = null;
  #error: unknown = null;
  #closed = false;

  constructor(options: SeatConnectionOptions) {
    this.#options = options;
    this.#track = options.track;
    const offline = () => this.#take('offline');
    addEventListener('offline', offline);
    const listening = setInterval(() => void this.#listen(), LISTEN_EVERY_MS);
    this.#stopHearing = [
      onReturn(() => this.#renew()),
      () => removeEventListener('offline', offline),
      () => clearInterval(listening),
    ];
    this.#plan();
  }

  /** Whether there is a connection that can be hung up. */
  get isAnswered(): boolean {
    return this.#whip !== null;
  }

  get keptForS(): number | null {
    return keptForS(this.#state, performance.now());
  }

  heard(): number[] {
    return this.#whip?.heard() ?? [];
  }

  /** Another microphone, on the same connection. */
  async send(track: MediaStreamTrack): Promise<void> {
    this.#track = track;
    await this.#whip?.replaceTrack(track);
  }

  /** The server lost us before we noticed: its stage was restarted, and our packets go nowhere. */
  stranded(): void {
    this.#take('stranded');
  }

  close(): void {
    this.#end();
    this.#whip?.close();
  }

  async leave(): Promise<void> {
    this.#end();
    await this.#whip?.leave();
  }

  #end(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#attempt?.abort();
    for (const stop of this.#stopHearing) stop();
    this.#options.audio.srcObject = null;
  }

  /** What was asked over the network before is lost with it. */
  #renew(): void {
    this.#attempt?.abort();
    this.#take('online');
  }

  #take(sign: Sign): void {
    if (this.#closed) return;
    this.#state = after(this.#state, sign, performance.now(), Math.random());
    this.#tell();
    this.#plan();
  }

  /** A path that died without a word is known by what doesn't come. */
  async #listen(): Promise<void> {
    const whip = this.#whip;
    if (!whip || this.#state.phase !== 'steady') return;
    const packets = await whip.received();
    if (whip === this.#whip && this.#flow.isSilent(packets, performance.now())) this.#take('silent');
  }

  #tell(): void {
    const { phase, lostMs } = this.#state;
    const heard = phase === 'steady' || (lostMs === null && this.#whip !== null);
    this.#options.onState({ heard, keptForS: this.keptForS, error: this.#error });
  }

  #plan(): void {
    clearTimeout(this.#timer);
    const { dueMs, phase } = this.#state;
    if (this.#closed || dueMs === null || phase === 'trying') return;
    this.#timer = setTimeout(() => void this.#offer(), Math.max(0, dueMs - performance.now()));
  }

  async #offer(): Promise<void> {
    this.#attempt?.abort();
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#state = offered(this.#state);
    this.#tell();
    const late = setTimeout(() => attempt.abort(), ANSWERED_WITHIN_MS);
    try {
      this.#takeOver(await this.#connect(attempt.signal));
      this.#error = null;
      this.#take('answered');
    } catch (error) {
      if (attempt === this.#attempt)
        this.#fail(attempt.signal.aborted ? new Error('The server does not answer.') : error);
    } finally {
      clearTimeout(late);
    }
  }

  async #connect(signal: AbortSignal): Promise<Whip> {
    const track = this.#track;
    const { spaceId, audio } = this.#options;
    const resumeToken = this.#resumeToken;
    this.#resumeToken = null;
    const whip: Whip = await connect({
      spaceId,
      track,
      resumeToken,
      signal,
      onSound: (sound) => {
        audio.srcObject = sound;
        void audio.play().catch(() => undefined);
      },
      onState: (state) => {
        // Of the connection before nothing matters any more, once there is another.
        if (this.#whip === null || this.#whip === whip) this.#take(state);
      },
    });
    if (track !== this.#track) await whip.replaceTrack(this.#track);
    return whip;
  }

  /** Closed, or overtaken, while the answer was on its way: the server has replaced the connection before. */
  #takeOver(whip: Whip): void {
    if (this.#closed) return whip.close();
    this.#whip?.close();
    this.#whip = whip;
    this.#flow.begin();
    this.#resumeToken = whip.resumeToken;
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    if (isFinal(error)) return this.#options.onRefused(error);
    this.#error = error;
    this.#take('unanswered');
  }
}

/** A refusal that another try won't change. */
function isFinal(error: unknown): boolean {
  return error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429;
}
