// Plays one Space: live at the edge, a step back while it is live, or a replay. Framework-free; says what changed
// through `onChange`.

import { onReturn } from '../back';
import { HURRY_RATE, SPREAD_MS, TARGET_LAG_S, backoffMs, decide } from './lag';
import { Place } from './place';
import { Source, type Codec } from './source';
import { hiddenAudio, type PlayerOptions, type PlayerState, type SpacePlayer } from './state';

const AHEAD_S = 12;
const RANGE_S = 20;
const LOOK_EVERY_MS = 100;
const RANGE_AGAIN_AFTER_MS = 1_000;
const CONNECTIONS_MAX = 6; // of a browser to one server by HTTP/1.1
const DEAD_AFTER_MS = 500;
/** So much of the sound is enough to begin with. */
const READY_S = 1;
const FULL_AGAIN_S = 30;
/** What is behind for less than this may be needed to go on. */
const KEPT_BEHIND_S = 1;
/** Closer to the live edge than this is live. */
const LIVE_WITHIN_S = 4;
/** So long without a first sound: a Space may have none yet, and not all who wait are to come back at once. */
const FIRST_MS = 6_000;
const FIRST_SPREAD_MS = 4_000;
/** So long without a byte, and the network has died without a word: while a stage is silent, the server isn't. */
const SILENT_MS = 6_000;
const SILENT_SPREAD_MS = 2_000;
/** After such a silence a connection that was kept may be dead as well: so long for a first answer, then twice as long. */
const ANSWER_MS = 1_500;
/** Some proxies keep an endless answer to themselves. */
const DEAF_ATTEMPTS = 2;
/** What takes longer than this to come back is worth a sentence. */
const SAID_FROM_ATTEMPT = 2;
const GONE = 'The network is gone. The sound goes on when it is back.';
const AWAY = 'The server does not answer. Trying again…';
/** The last frame of a recording may end a little before its length says. */
const END_TOLERANCE_S = 0.15;
const STARVED_AT_END_S = 0.6;
/** What is taken out reaches a little beyond what was asked for. */
const OVERLAP_S = 0.2;

export interface StreamOptions extends PlayerOptions {
  codec: Codec;
  /** No room for another listener; when to ask again. Nothing more comes then. */
  onFull: (againMs: number) => void;
}

export class Player implements SpacePlayer {
  readonly audio = hiddenAudio('player');
  readonly #place = new Place(this.audio);
  readonly #source: Source;
  readonly #options: StreamOptions;
  readonly #stop = new AbortController();
  /** Ends one listening, so that another begins. */
  #listening = new AbortController();
  /** Attempts in a row that were answered with no sound at all, not even with what there is already. */
  #deaf = 0;
  /** Attempts since the last byte, if the stream fell silent. */
  #silences = 0;
  /** Ends a pause before the next attempt. */
  #hurry: () => void = () => undefined;
  #isBack = false;
  readonly #timer: ReturnType<typeof setInterval>;
  #followsEdge: boolean;
  /** A step back, on its way to the edge without leaving anything out. */
  #catchesUp = false;
  #started = false;
  #hurrying = false;
  #filling = false;
  #ended = false;
  #problem: string | null = null;
  #wanted = false;
  #stopAtS: number | null = null;
  #revision: number;

  constructor(options: StreamOptions) {
    this.#options = options;
    options.onAudio(this.audio);
    this.#revision = options.revision;
    const durationS = options.durationMs === null ? null : options.durationMs / 1000;
    this.#source = new Source(this.audio, options.codec, durationS);
    this.#followsEdge = options.durationMs === null;
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    for (const event of ['playing', 'pause', 'waiting', 'seeked', 'error'])
      this.audio.addEventListener(event, () => this.#tell());
    const stopHearing = onReturn(() => this.#comeBack());
    this.#stop.signal.addEventListener('abort', stopHearing);
    if (options.durationMs === null) void this.#stayConnected();
    else {
      this.#place.seconds = options.startMs / 1000;
      void this.#openReplay();
    }
  }

  async play(): Promise<void> {
    this.#wanted = true;
    await this.audio.play().catch((error: DOMException) => {
      if (error.name === 'NotAllowedError') throw error;
    });
    this.#tell();
  }

  pause(): void {
    this.#wanted = false;
    this.#followsEdge = false;
    this.#stopCatchingUp();
    this.audio.pause();
  }

  seek(positionMs: number): void {
    this.#stopAtS = null;
    const seconds = Math.max(0, positionMs / 1000);
    if (this.#isLive && seconds >= this.#source.end - 1) return this.goLive();
    this.#followsEdge = false;
    if (this.#isLive) this.audio.playbackRate = 1;
    this.#stopCatchingUp();
    this.#moveTo(seconds);
  }

  /** Where it plays on the timeline. */
  get positionS(): number {
    return this.#place.seconds;
  }

  /** Whether the sound is there from this place on the timeline; until then it is fetched. */
  isReadyAt(seconds: number): boolean {
    if (!this.#started) return false;
    this.goOnFrom(seconds);
    return this.#source.ranges().some(([from, to]) => from <= seconds && seconds + READY_S < to);
  }

  /** Plays live from a step back on, and catches up. */
  goOnFrom(seconds: number): void {
    this.#followsEdge = false;
    this.#catchesUp = true;
    this.#moveTo(seconds);
  }

  playRange(fromMs: number, toMs: number): void {
    this.#followsEdge = false;
    this.#stopCatchingUp();
    this.#moveTo(fromMs / 1000);
    this.#stopAtS = toMs / 1000;
  }

  takeOut(fromMs: number, toMs: number, revision: number): void {
    this.#revision = revision;
    this.#source.forget(Math.max(0, fromMs / 1000 - OVERLAP_S), toMs / 1000 + OVERLAP_S);
  }

  forgetBehind(): void {
    this.#source.forget(0, Math.max(0, this.#place.seconds - KEPT_BEHIND_S));
  }

  goLive(): void {
    this.#stopAtS = null;
    this.#followsEdge = true;
    this.#catchesUp = false;
    this.#place.seconds = Math.max(0, this.#source.end - TARGET_LAG_S);
    if (this.#wanted) void this.audio.play();
  }

  set speed(rate: number) {
    this.audio.playbackRate = rate;
  }

  get speed(): number {
    return this.audio.playbackRate;
  }

  get state(): PlayerState {
    const position = this.#place.seconds;
    const end = this.#knownEnd;
    const waiting = this.#wanted && this.audio.readyState < HTMLMediaElement.HAVE_FUTURE_DATA && !this.#ended;
    return {
      playing: !this.audio.paused,
      waiting,
      atLive: this.#isLive && end - position < LIVE_WITHIN_S,
      positionMs: Math.round(position * 1000),
      endMs: Math.round(end * 1000),
      note: this.#source.noteAt(position),
      roster: this.#source.roster,
      calls: this.#source.calls,
      word: null,
      problem: this.#problem ?? (waiting && !navigator.onLine ? GONE : null),
      ended: this.#ended,
    };
  }

  close(): void {
    this.#stop.abort();
    this.#listening.abort();
    clearInterval(this.#timer);
    this.audio.pause();
    this.#source.close();
    this.audio.remove();
  }

  get #knownEnd(): number {
    return this.#options.durationMs === null ? this.#source.end : this.#options.durationMs / 1000;
  }

  get #isLive(): boolean {
    return this.#options.durationMs === null && !this.#ended;
  }

  #tell(): void {
    if (!this.#stop.signal.aborted) this.#options.onChange(this.state);
  }

  #stopCatchingUp(): void {
    if (this.#catchesUp) this.audio.playbackRate = 1;
    this.#catchesUp = false;
  }

  #moveTo(seconds: number): void {
    this.#place.seconds = seconds;
    this.#look();
  }

  // --- ten times a second: stay at the edge, or keep something ahead

  #look(): void {
    this.#pauseAtEnd();
    const ranges = this.#source.ranges();
    const end = ranges.at(-1)?.[1];
    if (end !== undefined && this.#catchesUp) this.#catchUp(end);
    if (end !== undefined && this.#followsEdge) this.#stayAtEdge(end);
    else if (end !== undefined || !this.#isLive) void this.#keepAhead(ranges);
    this.#tell();
  }

  /** At the end of a stretch that was asked for, or of the recording. */
  #pauseAtEnd(): void {
    const end = this.#stopAtS ?? (this.#isLive ? Infinity : this.#knownEnd - this.#endToleranceS);
    if (this.audio.paused || !this.#started || this.#place.seconds < end) return;
    this.#stopAtS = null;
    this.#wanted = false;
    this.audio.pause();
  }

  /** The faster it plays, the sooner before the last sample the browser waits for more. */
  get #endToleranceS(): number {
    const waits = this.audio.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
    const hasAll = this.#source.end >= this.#knownEnd - END_TOLERANCE_S;
    return waits && hasAll ? STARVED_AT_END_S : END_TOLERANCE_S;
  }

  #stayAtEdge(end: number): void {
    const begin = this.#source.ranges().at(-1)![0];
    if (!this.#started || this.#place.seconds < begin) {
      if (end - begin < TARGET_LAG_S / 2) return;
      this.#started = true;
      this.#place.seconds = Math.max(begin, end - TARGET_LAG_S);
      if (this.#wanted) void this.audio.play();
      return;
    }
    const decision = decide(end - this.#place.seconds, this.#hurrying);
    this.#hurrying = decision.rate > 1;
    this.audio.playbackRate = decision.rate;
    if (decision.jumpToLag !== null) this.#place.seconds = end - decision.jumpToLag;
  }

  #catchUp(end: number): void {
    const { rate, jumpToLag } = decide(end - this.#place.seconds, true);
    if (jumpToLag === null) {
      this.#followsEdge = true;
      this.#catchesUp = false;
    }
    this.audio.playbackRate = jumpToLag === null ? rate : HURRY_RATE;
  }

  async #keepAhead(ranges: [number, number][]): Promise<void> {
    if (this.#filling || !this.#started) return;
    const at = this.#place.seconds;
    const held = ranges.find(([from, to]) => from <= at + 0.15 && at < to);
    const from = held ? held[1] : at;
    const known = this.#knownEnd;
    if (from - at > AHEAD_S || from >= known - 0.05) return;
    const next = ranges.find(([begin]) => begin > from)?.[0] ?? Infinity;
    this.#filling = true;
    try {
      await this.#fetchRange(from, Math.min(from + RANGE_S, next + 0.1, known));
    } finally {
      this.#filling = false;
    }
  }

  // --- what is fetched

  async #stayConnected(): Promise<void> {
    for (let attempt = 0; !this.#stop.signal.aborted && !this.#ended; attempt++) {
      const began = performance.now();
      await this.#listen().catch(() => this.#say(attempt));
      if (this.#isBack || performance.now() - began > 10_000) attempt = 0;
      // A network of one's own that is back is no reason to wait for the crowd.
      const spreadMs = attempt === 0 && !this.#isBack ? Math.random() * SPREAD_MS : 0;
      this.#isBack = false;
      await this.#pauseFor(spreadMs + backoffMs(attempt, Math.random()));
    }
  }

  #pauseFor(ms: number): Promise<void> {
    if (this.#stop.signal.aborted || this.#ended) return Promise.resolve();
    return new Promise((resolve) => {
      this.#hurry = resolve;
      setTimeout(resolve, ms);
    });
  }

  #say(attempt: number): void {
    if (attempt < SAID_FROM_ATTEMPT && navigator.onLine) return;
    this.#problem = navigator.onLine ? AWAY : GONE;
    this.#tell();
  }

  /** The network is there again, or another one, or the computer has slept: what was opened before is dead. */
  #comeBack(): void {
    this.#isBack = true;
    this.#listening.abort();
    giveUpDeadConnections(this.#options.base);
    this.#hurry();
  }

  async #listen(): Promise<void> {
    const listening = new AbortController();
    this.#listening = listening;
    let silent = setTimeout(
      () => {
        listening.abort();
        if (++this.#deaf === DEAF_ATTEMPTS) this.#options.onDeaf();
      },
      FIRST_MS + Math.random() * FIRST_SPREAD_MS,
    );
    const unanswered = this.#silences
      ? setTimeout(() => listening.abort(), ANSWER_MS * 2 ** (this.#silences++ - 1))
      : undefined;
    try {
      const response = await fetch(`${this.#options.base}/listen?codec=${this.#options.codec}`, {
        signal: listening.signal,
      });
      clearTimeout(unanswered);
      if (!response.ok || !response.body) return await this.#refused(response);
      const append = this.#source.reader();
      const reader = response.body.getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        clearTimeout(silent);
        silent = setTimeout(
          () => {
            listening.abort();
            this.#silences = 1;
          },
          SILENT_MS + Math.random() * SILENT_SPREAD_MS,
        );
        this.#problem = null;
        this.#deaf = this.#silences = 0;
        await append(value);
        if (!this.#started) this.#look();
      }
    } finally {
      clearTimeout(silent);
      clearTimeout(unanswered);
    }
  }

  /** The stream was refused: the Space is over, the right to hear it is gone, or it goes on in a moment. */
  async #refused(response: Response): Promise<void> {
    const { code, error } = await problemOf(response);
    if (code === 'listeners_full') return this.#options.onFull(againMsOf(response));
    const isOver = [404, 409, 410].includes(response.status);
    this.#problem = isOver ? null : error;
    this.#ended = isOver || response.status === 401 || response.status === 403;
    this.#tell();
  }

  async #openReplay(): Promise<void> {
    const address = `${this.#options.base}/media/${this.#options.codec}/init.mp4`;
    while (!this.#started && !this.#stop.signal.aborted) {
      const response = await fetch(address, { signal: this.#stop.signal }).catch(() => null);
      if (response?.ok) {
        await this.#source.reader()(new Uint8Array(await response.arrayBuffer()));
        this.#started = true;
        return this.#look();
      }
      this.#problem = response ? await sentenceOf(response) : navigator.onLine ? AWAY : GONE;
      this.#tell();
      if (response && response.status < 500 && response.status !== 429) return;
      await this.#pauseFor(RANGE_AGAIN_AFTER_MS);
    }
  }

  async #fetchRange(fromS: number, toS: number): Promise<void> {
    const revision = this.#revision;
    const query = `from_ms=${Math.round(fromS * 1000)}&to_ms=${Math.ceil(toS * 1000)}&v=${revision}`;
    const address = `${this.#options.base}/media/${this.#options.codec}?${query}`;
    try {
      const response = await fetch(address, { signal: this.#stop.signal });
      this.#problem = response.ok ? null : await sentenceOf(response);
      if (response.ok) {
        const sound = new Uint8Array(await response.arrayBuffer());
        // On its way while something was taken out: it may hold it still.
        if (revision === this.#revision) await this.#source.reader()(sound);
        return;
      }
    } catch {
      if (this.#stop.signal.aborted) return;
      this.#problem = navigator.onLine ? AWAY : GONE;
    }
    await this.#pauseFor(RANGE_AGAIN_AFTER_MS);
  }
}

interface Problem {
  error: string;
  code?: string;
}

async function problemOf(response: Response): Promise<Problem> {
  const body = (await response.json().catch(() => ({}))) as Partial<Problem>;
  return { error: 'The sound stopped. Trying again…', ...body };
}

const sentenceOf = async (response: Response): Promise<string> => (await problemOf(response)).error;

const againMsOf = (response: Response): number =>
  (Number(response.headers.get('Retry-After')) || FULL_AGAIN_S) * 1000;

/** Kept connections are dead as well, and a browser tries them one after the other, seconds each: all at once, then. */
function giveUpDeadConnections(base: string): void {
  for (let number = 0; number < CONNECTIONS_MAX; number++)
    void fetch(base, { cache: 'no-store', signal: AbortSignal.timeout(DEAD_AFTER_MS) }).catch(
      () => undefined,
    );
}
