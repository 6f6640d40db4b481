// A stretch of a Space's sound for this person alone, beside whatever plays or is spoken: to check what it holds.
import { SPACES } from '../api/spaces';
import { playableCodec } from './source';

const RANGE_MS_MAX = 60_000;

export class Excerpt {
  #context: AudioContext | null = null;
  #isOver = false;

  /** Resolves when it has been heard, or was stopped. At most a minute of it. */
  async play(spaceId: string, fromMs: number, toMs: number): Promise<void> {
    const context = new AudioContext();
    this.#context = context;
    const base = `${SPACES}/${spaceId}/media/${playableCodec() ?? 'aac'}`;
    const until = Math.min(toMs, fromMs + RANGE_MS_MAX);
    const parts = await Promise.all(
      [
        `${base}/init.mp4`,
        `${base}?from_ms=${Math.round(fromMs)}&to_ms=${Math.round(until)}&v=${Date.now()}`,
      ].map(bytesOf),
    );
    const buffer = await context.decodeAudioData(
      await new Blob(parts.map(({ bytes }) => bytes)).arrayBuffer(),
    );
    if (this.#isOver) return;
    const source = new AudioBufferSourceNode(context, { buffer });
    source.connect(context.destination);
    const ended = new Promise((resolve) => source.addEventListener('ended', resolve, { once: true }));
    source.start(0, Math.max(0, fromMs - (parts[1]!.startMs ?? fromMs)) / 1000, (until - fromMs) / 1000);
    await Promise.race([ended, new Promise((resolve) => context.addEventListener('statechange', resolve))]);
    this.stop();
  }

  stop(): void {
    this.#isOver = true;
    if (this.#context && this.#context.state !== 'closed') void this.#context.close();
  }
}

async function bytesOf(address: string): Promise<{ bytes: ArrayBuffer; startMs: number | null }> {
  const response = await fetch(address);
  if (!response.ok) throw new Error('This part can’t be played now. Try again in a moment.');
  const start = response.headers.get('Folkmoot-Range-Ms')?.split('-')[0];
  return { bytes: await response.arrayBuffer(), startMs: start === undefined ? null : Number(start) };
}
