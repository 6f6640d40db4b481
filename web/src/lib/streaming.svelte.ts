// What happens while one looks: one WebSocket for the tab (https://docs.joinmastodon.org/methods/streaming/).
import { onReturn } from './back';

export interface StreamEvent {
  event: string;
  payload: string;
}

interface Subscription {
  stream: string;
  parameters: Record<string, string>;
  heard: (event: StreamEvent) => void;
}

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 60_000;

class Streaming {
  /** Where it isn't, whoever shows something looks for themselves. */
  connected = $state(false);
  #socket: WebSocket | null = null;
  #subscriptions = new Set<Subscription>();
  #delayMs = FIRST_DELAY_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watching = false;

  /** Hears a stream until the returned function is called. */
  follow(
    stream: string,
    heard: (event: StreamEvent) => void,
    parameters: Record<string, string> = {},
  ): () => void {
    const subscription = { stream, parameters, heard };
    const isFirst = !this.#alike(subscription);
    this.#subscriptions.add(subscription);
    if (!this.#socket) this.#connect();
    else if (isFirst) this.#tell('subscribe', subscription);
    return () => {
      this.#subscriptions.delete(subscription);
      if (!this.#alike(subscription)) this.#tell('unsubscribe', subscription);
    };
  }

  #alike(one: Subscription): boolean {
    return [...this.#subscriptions].some((other) => keyOf(other) === keyOf(one));
  }

  #tell(type: 'subscribe' | 'unsubscribe', { stream, parameters }: Subscription): void {
    if (this.#socket?.readyState === WebSocket.OPEN)
      this.#socket.send(JSON.stringify({ type, stream, ...parameters }));
  }

  #connect(): void {
    clearTimeout(this.#timer);
    if (!this.#watching) {
      this.#watching = true;
      onReturn(() => this.#again());
    }
    const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/api/v1/streaming`);
    this.#socket = socket;
    socket.onopen = () => {
      this.connected = true;
      this.#delayMs = FIRST_DELAY_MS;
      const told = new Map([...this.#subscriptions].map((one) => [keyOf(one), one]));
      for (const one of told.values()) this.#tell('subscribe', one);
    };
    socket.onmessage = (message) => this.#hear(String(message.data));
    socket.onclose = () => this.#lost(socket);
  }

  #lost(socket: WebSocket): void {
    if (this.#socket !== socket) return;
    this.connected = false;
    this.#socket = null;
    if (this.#subscriptions.size === 0) return;
    this.#timer = setTimeout(() => this.#connect(), this.#delayMs);
    this.#delayMs = Math.min(LONGEST_DELAY_MS, this.#delayMs * 2);
  }

  /** The network is another, or the computer has slept: what was open may be dead without a word. */
  #again(): void {
    const old = this.#socket;
    this.#socket = null;
    this.connected = false;
    old?.close();
    if (this.#subscriptions.size > 0) this.#connect();
  }

  #hear(text: string): void {
    const heard = JSON.parse(text) as { stream?: string[]; event?: string; payload?: unknown };
    if (!heard.event) return;
    const [name, parameter] = heard.stream ?? [];
    const payload = typeof heard.payload === 'string' ? heard.payload : JSON.stringify(heard.payload);
    for (const one of [...this.#subscriptions]) {
      const fits = one.stream === name && (parameter === undefined || isOf(one, parameter));
      if (fits) one.heard({ event: heard.event, payload });
    }
  }
}

const keyOf = ({ stream, parameters }: Subscription): string => JSON.stringify([stream, parameters]);
const isOf = ({ parameters }: Subscription, parameter: string): boolean =>
  Object.values(parameters).some((value) => value.toLowerCase() === parameter.toLowerCase());

export const streaming = new Streaming();
