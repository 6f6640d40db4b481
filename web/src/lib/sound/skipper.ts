// Jumps over the pauses of one replay. What it needs to know is fetched when it is first wanted.
import { getSeats, getWaveform } from '../api/spaces';
import { jumpFrom, pausesOf, type Stretch } from '../player/silence';

/** As many as the server gives. */
const POINTS = 10_000;
const ASKED_AGAIN_MS = 5_000;

export class Skipper {
  /** How much of the replay's time was jumped over. */
  savedMs = 0;
  #pauses: Stretch[] = [];
  #plan: (marks: Stretch[]) => Stretch[] = () => [];
  #marks = '';
  #asked = false;

  constructor(
    private readonly spaceId: string,
    private readonly bounds: Stretch,
  ) {}

  /** Where to go on from here, or null: play on. `marks`: what was taken out of the recording by now. */
  next(positionMs: number, marks: Stretch[]): number | null {
    if (!this.#asked) void this.#load();
    if (String(marks) !== this.#marks) {
      this.#marks = String(marks);
      this.#pauses = this.#plan(marks);
    }
    const to = jumpFrom(this.#pauses, positionMs);
    if (to !== null) this.savedMs += to - positionMs;
    return to;
  }

  async #load(): Promise<void> {
    this.#asked = true;
    const [fromMs, toMs] = this.bounds;
    try {
      const [{ speech }, peaks] = await Promise.all([
        getSeats(this.spaceId, fromMs, toMs),
        getWaveform(this.spaceId, POINTS).catch(() => null),
      ]);
      const turns = speech.map(([, begin, end]): Stretch => [begin, end]);
      this.#plan = (marks) => pausesOf(turns, peaks, marks, this.bounds);
      this.#marks = 'unknown';
    } catch {
      // Asked again a little later: until then everything is played.
      setTimeout(() => (this.#asked = false), ASKED_AGAIN_MS);
    }
  }
}
