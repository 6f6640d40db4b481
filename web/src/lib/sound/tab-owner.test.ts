import { describe, expect, it } from 'vitest';
import { TabOwner, type Channel, type Locks, type Playing } from './tab-owner';

/** Web Locks for one name, as far as the owner uses them. */
class FakeLocks {
  #held: { reject: (error: Error) => void; isShared: boolean } | null = null;
  readonly #waiting: { run: () => void; signal?: AbortSignal }[] = [];

  readonly request: Locks['request'] = (_name, options, callback) =>
    new Promise((resolve, reject) => {
      const run = () => {
        const held = { reject, isShared: options.mode === 'shared' };
        this.#held = held;
        void Promise.resolve(callback()).then(() => {
          resolve();
          if (this.#held === held) this.#free();
        });
      };
      if (options.steal) {
        this.#held?.reject(new Error('AbortError'));
        run();
      } else if (this.#held && !this.#held.isShared) {
        options.signal?.addEventListener('abort', () => reject(new Error('AbortError')));
        this.#waiting.push({ run, signal: options.signal });
      } else run();
    });

  /** The browser frees what a tab held that crashed. */
  crash(): void {
    this.#free();
  }

  #free(): void {
    this.#held = null;
    for (const { run, signal } of this.#waiting.splice(0)) if (!signal?.aborted) run();
  }
}

class FakeBus {
  readonly #channels: Channel[] = [];
  join(): Channel {
    const channel: Channel = {
      onmessage: null,
      postMessage: (data) => {
        for (const other of this.#channels)
          if (other !== channel) other.onmessage?.({ data } as MessageEvent<never>);
      },
    };
    this.#channels.push(channel);
    return channel;
  }
}

function tab(bus: FakeBus, locks: FakeLocks | undefined) {
  const seen = { lost: 0, elsewhere: null as Playing | null };
  const owner = new TabOwner(
    locks,
    bus.join(),
    () => (seen.lost += 1),
    (playing) => (seen.elsewhere = playing),
  );
  return { owner, seen };
}

const playing: Playing = { spaceId: '5', title: 'The evening', speaking: false };
const settle = () => new Promise((resolve) => setTimeout(resolve));

describe.each([
  ['with locks', () => new FakeLocks()],
  ['on a page without HTTPS', () => undefined],
])('one tab owns the sound, %s', (_, makeLocks) => {
  it('tells the others what is played, and a new tab that asks', async () => {
    const [bus, locks] = [new FakeBus(), makeLocks()];
    const [first, second] = [tab(bus, locks), tab(bus, locks)];
    await first.owner.take(playing);
    expect(second.seen.elsewhere).toEqual(playing);
    expect(tab(bus, locks).seen.elsewhere).toEqual(playing);
    expect(first.seen).toEqual({ lost: 0, elsewhere: null });
  });

  it('falls silent when another tab takes the sound', async () => {
    const [bus, locks] = [new FakeBus(), makeLocks()];
    const [first, second] = [tab(bus, locks), tab(bus, locks)];
    await first.owner.take(playing);
    await second.owner.take({ ...playing, spaceId: '6' });
    await settle();
    expect(first.seen.lost).toBe(1);
    expect(first.owner.owns).toBe(false);
    expect(first.seen.elsewhere?.spaceId).toBe('6');
    expect(second.owner.owns).toBe(true);
    expect(second.seen).toEqual({ lost: 0, elsewhere: null });
  });

  it('can go back and forth', async () => {
    const [bus, locks] = [new FakeBus(), makeLocks()];
    const [first, second] = [tab(bus, locks), tab(bus, locks)];
    for (const one of [first, second, first, second, first]) await one.owner.take(playing);
    await settle();
    expect([first.owner.owns, second.owner.owns]).toEqual([true, false]);
    expect([first.seen.lost, second.seen.lost]).toEqual([2, 2]);
  });

  it('tells when it stops', async () => {
    const [bus, locks] = [new FakeBus(), makeLocks()];
    const [first, second] = [tab(bus, locks), tab(bus, locks)];
    await first.owner.take(playing);
    first.owner.release();
    await settle();
    expect(second.seen.elsewhere).toBeNull();
  });
});

it('notices that a tab died which could not say so', async () => {
  const [bus, locks] = [new FakeBus(), new FakeLocks()];
  const [first, second] = [tab(bus, locks), tab(bus, locks)];
  await first.owner.take(playing);
  expect(second.seen.elsewhere).toEqual(playing);
  locks.crash();
  await settle();
  expect(second.seen.elsewhere).toBeNull();
});
