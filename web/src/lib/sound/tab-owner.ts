// One tab owns the sound for all: browsers open few connections to a server, and nobody wants to hear a Space twice.
// The lock says who owns it (and is freed by a crash, too); the channel says what is played there.

export interface Playing {
  spaceId: string;
  title: string;
  speaking: boolean;
}

type Message = { kind: 'who' } | { kind: 'stopped' } | ({ kind: 'playing' } & Playing);

export interface Channel {
  postMessage(message: Message): void;
  onmessage: ((event: MessageEvent<Message>) => void) | null;
}

/** `navigator.locks`, as far as it is used; undefined on pages without HTTPS. */
export interface Locks {
  request(
    name: string,
    options: { steal?: boolean; mode?: 'shared' | 'exclusive'; signal?: AbortSignal },
    callback: () => Promise<void> | void,
  ): Promise<void>;
}

const NAME = 'folkmoot-sound';

export class TabOwner {
  #playing: Playing | null = null;
  #letGo: (() => void) | null = null;
  #watch: AbortController | null = null;

  constructor(
    private readonly locks: Locks | undefined,
    private readonly channel: Channel,
    /** This tab has to be silent: another one took the sound. */
    private readonly onLost: () => void,
    /** What another tab plays, or null. */
    private readonly onElsewhere: (playing: Playing | null) => void,
  ) {
    channel.onmessage = (event) => this.#hear(event.data);
    channel.postMessage({ kind: 'who' });
  }

  get owns(): boolean {
    return this.#playing !== null;
  }

  /** Takes the sound to this tab, from whichever has it. */
  async take(playing: Playing): Promise<void> {
    this.#watch?.abort();
    this.onElsewhere(null);
    const owned = this.owns;
    this.#playing = playing;
    if (!owned) await this.#lock();
    this.channel.postMessage({ kind: 'playing', ...playing });
  }

  release(): void {
    if (!this.owns) return;
    this.#drop();
    this.channel.postMessage({ kind: 'stopped' });
  }

  #lock(): Promise<void> {
    if (!this.locks) return Promise.resolve();
    return new Promise((acquired) => {
      const held = new Promise<void>((letGo) => (this.#letGo = letGo));
      this.locks!.request(NAME, { steal: true }, () => {
        acquired();
        return held;
      }).catch(() => this.#lose());
    });
  }

  #lose(): void {
    if (!this.owns) return;
    this.#drop();
    this.onLost();
  }

  #drop(): void {
    this.#playing = null;
    this.#letGo?.();
    this.#letGo = null;
  }

  #hear(message: Message): void {
    if (message.kind === 'who') {
      if (this.#playing) this.channel.postMessage({ kind: 'playing', ...this.#playing });
    } else if (message.kind === 'stopped') {
      this.#elsewhere(null);
    } else {
      this.#lose();
      const { spaceId, title, speaking } = message;
      this.#elsewhere({ spaceId, title, speaking });
    }
  }

  /** Waits in line for the lock, for a tab that dies says nothing. */
  #elsewhere(playing: Playing | null): void {
    this.#watch?.abort();
    this.onElsewhere(playing);
    if (!playing || !this.locks) return;
    const watch = new AbortController();
    this.#watch = watch;
    this.locks
      .request(NAME, { mode: 'shared', signal: watch.signal }, () => this.onElsewhere(null))
      .catch(() => undefined);
  }
}
