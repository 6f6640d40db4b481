// One's own voice on stage: a microphone that stays open while devices come and go, and the gate before it.
import { remember, remembered } from '../remembered';
import { toasts } from '../toasts.svelte';
import { asSentence } from '../words';
import { devices } from './devices.svelte';
import { LevelJudge, isSpeaking, meterOf, type Verdict } from './level';
import { closeStream, measure, openMicrophone } from './microphone';
import { PUSH_TO_TALK, Talk, type Finger } from './talk';

/** Before it is sent, a track is cloned: what the gate silences is still measured here, and nowhere else. */
interface Open {
  stream: MediaStream;
  sent: MediaStreamTrack;
  deviceId: string;
  end: () => void;
}

export class Voice {
  level = $state(0);
  verdict = $state<Verdict>('waiting');
  speaking = $state(false);
  /** A sentence when there is no microphone to speak into. */
  problem = $state<string | null>(null);
  /** Whether sound leaves this browser. */
  open = $state(false);
  pushToTalk = $state(remembered(PUSH_TO_TALK, false));

  readonly #talk = new Talk();
  readonly #onTrack: (track: MediaStreamTrack) => Promise<void>;
  #now: Open | null = null;
  #allowed = false;
  #closed = false;
  #busy: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #unlisten: () => void;

  /** `onTrack`: sends another track from now on. */
  constructor(stream: MediaStream, onTrack: (track: MediaStreamTrack) => Promise<void>) {
    this.#onTrack = onTrack;
    this.#talk.on = this.pushToTalk;
    this.#unlisten = devices.onChange(() => void this.#devicesChanged());
    this.#use(stream);
    void devices.refresh();
  }

  get track(): MediaStreamTrack {
    return this.#now!.sent;
  }

  /** Whether the Space would let one be heard: on stage, and not muted. */
  set allowed(allowed: boolean) {
    this.#allowed = allowed;
    this.#apply();
  }

  setPushToTalk(on: boolean): void {
    this.pushToTalk = on;
    this.#talk.on = on;
    remember(PUSH_TO_TALK, on);
    this.#apply();
  }

  press(finger: Finger): void {
    this.#talk.press(finger);
    this.#apply();
  }

  release(finger: Finger): void {
    this.#talk.release(finger, performance.now());
    this.#apply();
  }

  toggle(): void {
    this.#talk.toggle(performance.now());
    this.#apply();
  }

  letGo(): void {
    this.#talk.letGo();
    this.#apply();
  }

  /** Opens the chosen microphone in place of the one before: heard without a break, on the same connection. */
  change(): Promise<void> {
    this.#busy = this.#busy.then(() => this.#change());
    return this.#busy;
  }

  close(): void {
    this.#closed = true;
    this.#unlisten();
    clearTimeout(this.#timer);
    this.#drop(this.#now);
    this.#now = null;
  }

  #apply(): void {
    clearTimeout(this.#timer);
    const nowMs = performance.now();
    this.open = this.#allowed && this.#talk.isOpen(nowMs);
    if (this.#now) this.#now.sent.enabled = this.open;
    const closesMs = this.#talk.closesMs(nowMs);
    if (closesMs !== null) this.#timer = setTimeout(() => this.#apply(), closesMs - nowMs + 1);
  }

  #use(stream: MediaStream): void {
    const [track] = stream.getAudioTracks();
    const judge = new LevelJudge(performance.now());
    const end = measure(stream, (now) => {
      this.level = meterOf(now);
      this.speaking = isSpeaking(now);
      this.verdict = judge.take(now, performance.now());
    });
    const sent = track!.clone();
    const opened = { stream, sent, deviceId: devices.microphone, end };
    // Unplugged, or taken away by the system. Stopping it ourselves says nothing.
    track!.addEventListener('ended', () => {
      if (this.#now === opened) void this.#fallBack();
    });
    this.#now = opened;
    this.problem = null;
    this.#apply();
  }

  async #change(): Promise<void> {
    if (this.#closed) return;
    const before = this.#now;
    try {
      const stream = await openMicrophone(devices.microphone, devices.processing);
      if (this.#closed) return closeStream(stream);
      this.#use(stream);
      await this.#onTrack(this.track);
      this.#drop(before);
    } catch (error) {
      // With the old one still open, all is as it was.
      if (before && before.stream.active) toasts.fail(error);
      else this.problem = asSentence(error);
    }
  }

  /** The browser's own choice, until the chosen one is back. */
  async #fallBack(): Promise<void> {
    await devices.refresh();
    await this.change();
    const label = this.#now?.stream.getAudioTracks()[0]?.label;
    if (this.problem)
      this.problem = 'Your microphone is gone. Connect one: it is used as soon as it is there.';
    else toasts.say(`Your microphone was unplugged. You speak through “${label || 'another one'}” now.`);
  }

  /** One was connected: the chosen one is back, or there is one at last. */
  async #devicesChanged(): Promise<void> {
    if (!this.#now) return;
    const isDead = !this.#now.stream.active;
    const isBack = devices.microphone !== '' && devices.microphone !== this.#now.deviceId;
    if (isDead ? devices.microphones.length > 0 : isBack) await this.change();
  }

  #drop(open: Open | null): void {
    open?.end();
    open?.sent.stop();
    closeStream(open?.stream ?? null);
  }
}
