// Push-to-talk: whether the microphone is let through. Pure: presses and the time come in.
//
// The gate is here, in the browser, and not the Space's mute: that goes through the server, and the first syllable
// would be over before it is back. What the gate holds back is sent as silence, so that the connection stays warm.

/** Under which this browser remembers whether one chose it. */
export const PUSH_TO_TALK = 'push-to-talk';
/** Whoever lets go at the end of a word still means the end of the word. */
const TAIL_MS = 250;

export type Finger = 'key' | 'pointer';

export class Talk {
  #on = false;
  #latched = false;
  #tailUntilMs = 0;
  readonly #held = new Set<Finger>();

  /** Whether one has to hold something to be heard. */
  get on(): boolean {
    return this.#on;
  }

  set on(on: boolean) {
    this.#on = on;
    this.letGo();
  }

  press(finger: Finger): void {
    this.#latched = false;
    this.#held.add(finger);
  }

  release(finger: Finger, nowMs: number): void {
    if (!this.#held.delete(finger) || this.#held.size > 0) return;
    this.#tailUntilMs = nowMs + TAIL_MS;
  }

  /** For who can't hold: open until the next time, or until a press. */
  toggle(nowMs: number): void {
    if (this.#latched) this.#tailUntilMs = nowMs + TAIL_MS;
    this.#latched = !this.#latched;
  }

  /** The window lost the keyboard, or the stage is left: no key will be seen to come up. */
  letGo(): void {
    this.#held.clear();
    this.#latched = false;
    this.#tailUntilMs = 0;
  }

  isOpen(nowMs: number): boolean {
    return !this.#on || this.#held.size > 0 || this.#latched || nowMs < this.#tailUntilMs;
  }

  /** When the gate closes by itself, or null. */
  closesMs(nowMs: number): number | null {
    const isHeld = !this.#on || this.#held.size > 0 || this.#latched;
    return isHeld || nowMs >= this.#tailUntilMs ? null : this.#tailUntilMs;
  }
}

/** Whether the space bar, pressed on this element, writes or chooses in it. */
export function isField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches('input, textarea, select, audio, video');
}
