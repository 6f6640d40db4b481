// Jumps over the pauses of one replay. What it needs to know is fetched when it is first wanted.
import { getSeats, getWaveform } from '../api/spaces';
import { jumpFrom, pausesOf, type Stretch } from '../player/silence';

/** As many as the server gives. */
const POINTS = 10_000;

export class Skipper {
  /** How much of the replay's time was jumped over. */
  savedMs = 0;
  #pauses: Stretch[] = [];
  #asked = false;

  constructor(
    private readonly spaceId: string,
    private readonly bounds: Stretch,
  ) {}

  /** Where to go on from here, or null: play on. */
  next(positionMs: number): number | null {
    if (!this.#asked) void this.#load();
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
      this.#pauses = pausesOf(turns, peaks, [], this.bounds);
    } catch {
      // Asked again a little later: until then everything is played.
      setTimeout(() => (this.#asked = false), 5_000);
    }
  }
}
