// Chooses how to play: our own reader over Media Source Extensions, or HLS where they are missing or an endless answer
// does not get through.
import { CrowdPlayer } from './crowd';
import { HlsPlayer } from './hls';
import { Player } from './player';
import { playableCodec } from './source';
import type { PlayerOptions, SpacePlayer } from './state';

const MOVES_WITHIN_MS = 1_500;

/** For as long as this page is open: what is in between will hardly change. */
let streamsAreHeld = false;

export function openPlayer(options: PlayerOptions): SpacePlayer {
  const codec = playableCodec();
  if (codec && options.durationMs !== null) return new Player({ ...options, codec, onFull: () => undefined });
  if (codec && !streamsAreHeld)
    return new CrowdPlayer({ ...options, codec, onDeaf: () => void tryHls(options) });
  return new HlsPlayer(options);
}

/** HLS is a second later than the stream, so only if it goes on while the stream doesn't. */
async function tryHls(options: PlayerOptions): Promise<void> {
  const before = await playlist(options.base);
  await new Promise((resolve) => setTimeout(resolve, MOVES_WITHIN_MS));
  const after = await playlist(options.base);
  if (before === null || after === null || before === after) return;
  streamsAreHeld = true;
  options.onDeaf();
}

async function playlist(base: string): Promise<string | null> {
  const response = await fetch(`${base}/hls/aac/live.m3u8`, { cache: 'no-store' }).catch(() => null);
  return response?.ok ? response.text() : null;
}
