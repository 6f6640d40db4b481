// What a microphone's level says: too quiet to be one, fine, or too loud. Pure: measures and the time come in.

export interface Measure {
  /** Root mean square of the last tenth of a second, 0 to 1. */
  rms: number;
  /** The highest sample in it, 0 to 1. */
  peak: number;
}

/** `waiting`: not yet known. `silent`: nothing at all arrives. `quiet`: there is a room, and nobody speaks in it. */
export type Verdict = 'waiting' | 'silent' | 'quiet' | 'good' | 'clipping';

const SPEAKS_ABOVE = 0.02;
/** Below it there is not even a room: a microphone that is switched off, or the wrong one. */
const ROOM_ABOVE = 0.0005;
const CLIPS_FROM = 0.985;
const JUDGED_AFTER_MS = 2_500;
const HEARD_FOR_MS = 4_000;
const CLIPPING_FOR_MS = 2_000;
const CLIPS_AT_LEAST = 2;

export const isSpeaking = ({ rms }: Measure): boolean => rms > SPEAKS_ABOVE;

/** How far a meter goes out, 0 to 1: from −60 dBFS to 0, as ears hear it. */
export function meterOf({ rms }: Measure): number {
  return Math.min(1, Math.max(0, 1 + (20 * Math.log10(Math.max(rms, 1e-9))) / 60));
}

export class LevelJudge {
  readonly #beganMs: number;
  #heardMs = -Infinity;
  #roomMs = -Infinity;
  #clips: number[] = [];

  constructor(nowMs: number) {
    this.#beganMs = nowMs;
  }

  /** Ten times a second. */
  take(measure: Measure, nowMs: number): Verdict {
    if (isSpeaking(measure)) this.#heardMs = nowMs;
    if (measure.rms > ROOM_ABOVE) this.#roomMs = nowMs;
    this.#clips = this.#clips.filter((at) => nowMs - at < CLIPPING_FOR_MS);
    if (measure.peak >= CLIPS_FROM) this.#clips.push(nowMs);
    if (this.#clips.length >= CLIPS_AT_LEAST) return 'clipping';
    if (nowMs - this.#heardMs < HEARD_FOR_MS) return 'good';
    if (nowMs - this.#beganMs < JUDGED_AFTER_MS) return 'waiting';
    return nowMs - this.#roomMs < JUDGED_AFTER_MS ? 'quiet' : 'silent';
  }
}
