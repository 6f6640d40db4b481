// Where a media element is to play. Before it knows what it plays, Chromium forgets what it is told.

/** What is needed of an audio element. */
export type Placed = Pick<HTMLMediaElement, 'currentTime' | 'readyState' | 'addEventListener'>;

export class Place {
  readonly #audio: Placed;
  /** Asked for before the metadata came; the last wish counts. */
  #wanted: number | null = null;

  /** `offsetS`: where the element's own zero lies, once it has its metadata. */
  constructor(
    audio: Placed,
    private readonly offsetS: () => number = () => 0,
  ) {
    this.#audio = audio;
    audio.addEventListener('loadedmetadata', () => {
      const seconds = this.#wanted;
      this.#wanted = null;
      if (seconds !== null) this.seconds = seconds;
    });
  }

  get seconds(): number {
    return this.#wanted ?? this.#audio.currentTime + this.offsetS();
  }

  set seconds(seconds: number) {
    const isKnown = this.#audio.readyState > 0;
    this.#wanted = isKnown ? null : seconds;
    if (isKnown) this.#audio.currentTime = Math.max(0, seconds - this.offsetS());
  }
}
