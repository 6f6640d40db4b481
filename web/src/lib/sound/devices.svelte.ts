// Microphones and speakers: which there are, and which somebody chose in this browser. They come and go.
import { remember, remembered } from '../remembered';
import { USUAL, type Processing } from './microphone';

/** Some browsers give a device a new id now and then; its label stays. */
interface Chosen {
  id: string;
  label: string;
}

const NONE: Chosen = { id: '', label: '' };

class Devices {
  microphones = $state.raw<MediaDeviceInfo[]>([]);
  speakers = $state.raw<MediaDeviceInfo[]>([]);
  #microphone = $state.raw<Chosen>(remembered('microphone', NONE));
  #speaker = $state.raw<Chosen>(remembered('speaker', NONE));
  #processing = $state.raw<Record<string, Processing>>(remembered('processing', {}));
  readonly #listeners = new Set<() => void>();

  /** Whether this browser can play to a chosen device. */
  readonly choosesSpeaker = 'setSinkId' in HTMLMediaElement.prototype;

  constructor() {
    navigator.mediaDevices?.addEventListener?.('devicechange', () => void this.#change());
  }

  /** The id of the chosen microphone if it is connected, or '' for the browser's choice. */
  get microphone(): string {
    return found(this.microphones, this.#microphone);
  }

  get speaker(): string {
    return found(this.speakers, this.#speaker);
  }

  /** How the microphone's sound is treated: a headset needs no echo cancelled. */
  get processing(): Processing {
    return this.#processing[this.microphone] ?? USUAL;
  }

  chooseMicrophone(id: string): void {
    this.#microphone = { id, label: labelOf(this.microphones, id) };
    remember('microphone', this.#microphone);
  }

  chooseSpeaker(id: string): void {
    this.#speaker = { id, label: labelOf(this.speakers, id) };
    remember('speaker', this.#speaker);
    for (const listener of this.#listeners) listener();
  }

  process(processing: Processing): void {
    this.#processing = { ...this.#processing, [this.microphone]: processing };
    remember('processing', this.#processing);
  }

  /** Names are told only once a microphone was allowed. */
  async refresh(): Promise<void> {
    const all = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
    const of = (kind: MediaDeviceKind) =>
      all.filter((device) => device.kind === kind && device.deviceId !== '');
    this.microphones = of('audioinput');
    this.speakers = of('audiooutput');
  }

  /** Calls back when a device came or went, or another speaker was chosen. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #change(): Promise<void> {
    await this.refresh();
    for (const listener of this.#listeners) listener();
  }
}

function found(devices: MediaDeviceInfo[], { id, label }: Chosen): string {
  if (id === '' || devices.some((device) => device.deviceId === id)) return id;
  return devices.find((device) => label !== '' && device.label === label)?.deviceId ?? '';
}

const labelOf = (devices: MediaDeviceInfo[], id: string): string =>
  devices.find((device) => device.deviceId === id)?.label ?? '';

export const devices = new Devices();

/** Plays an element through the chosen speaker, now and after every change, until the returned function is called. */
export function routed(audio: HTMLAudioElement): () => void {
  const route = () => {
    if (devices.choosesSpeaker && audio.sinkId !== devices.speaker)
      // A speaker that is gone meanwhile: the browser's own goes on.
      void audio.setSinkId(devices.speaker).catch(() => undefined);
  };
  void devices.refresh().then(route);
  return devices.onChange(route);
}
