// The notes that came with the sound, in order of time.
import type { Note, TimedNote } from './boxes';

const NOTES_MAX = 20_000;
const CALLS_MAX = 64;

export class Notes {
  readonly #notes: TimedNote[] = [];
  /** The newest roster that any note tells of, heard yet or not. */
  roster = 0;
  /** The calls that came last, heard yet or not: another array whenever there is a new one. */
  calls: readonly string[] = [];

  /** The note that holds at a time: what is heard then. */
  at(seconds: number): Note | null {
    let low = 0;
    let high = this.#notes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#notes[middle]!.atSeconds <= seconds) low = middle + 1;
      else high = middle;
    }
    return this.#notes[low - 1]?.note ?? null;
  }

  remember(timed: TimedNote): void {
    this.roster = Math.max(this.roster, timed.note.roster);
    const fresh = timed.note.calls.filter((call) => !this.calls.includes(call));
    if (fresh.length > 0) this.calls = [...this.calls, ...fresh].slice(-CALLS_MAX);
    const last = this.#notes.at(-1);
    if (!last || last.atSeconds < timed.atSeconds) {
      this.#notes.push(timed);
      if (this.#notes.length > NOTES_MAX) this.#notes.shift();
      return;
    }
    const at = this.#notes.findIndex((known) => known.atSeconds >= timed.atSeconds);
    const isKnown = this.#notes[at]!.atSeconds === timed.atSeconds;
    this.#notes.splice(at, isKnown ? 1 : 0, timed);
  }
}
