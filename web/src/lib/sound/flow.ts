// Whether sound still comes from the stage, which sends a packet at least every 400 ms, also when nobody speaks. A path
// can die without a word: the browser believes in it for many seconds. Pure: counts and times come in.

/** Three packets in a row that didn't come. */
const SILENT_AFTER_MS = 1_200;
/** A stage that falls silent again and again, more often than this, is asked ever less often. */
const AT_ONCE = 2;
const SILENT_AFTER_MAX_MS = 30_000;
/** So long without falling silent, and what was before is forgotten. */
const FLOWS_AFTER_MS = 10_000;

export class Flow {
  #packets = 0;
  /** When the last packet was seen to have come; null before the first one, and once it was said to be silent. */
  #lastMs: number | null = null;
  #sinceMs = 0;
  #falls = 0;

  /** Another connection: it is waited for until its first packet. */
  begin(): void {
    this.#packets = 0;
    this.#lastMs = null;
  }

  /** `packets`: how many came on this connection. Returns true once each time that it falls silent. */
  isSilent(packets: number, nowMs: number): boolean {
    if (packets > this.#packets) {
      if (this.#lastMs === null) this.#sinceMs = nowMs;
      this.#packets = packets;
      this.#lastMs = nowMs;
      if (nowMs - this.#sinceMs >= FLOWS_AFTER_MS) this.#falls = 0;
      return false;
    }
    if (this.#lastMs === null || nowMs - this.#lastMs < this.#patienceMs) return false;
    this.#lastMs = null;
    this.#falls += 1;
    return true;
  }

  get #patienceMs(): number {
    const often = Math.max(0, this.#falls - AT_ONCE + 1);
    return Math.min(SILENT_AFTER_MAX_MS, SILENT_AFTER_MS * 2 ** often);
  }
}
