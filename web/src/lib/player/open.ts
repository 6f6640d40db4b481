// Chooses how to play: our own reader over Media Source Extensions, or HLS where they are missing.
import { Player } from './player';
import { playableCodec } from './source';
import type { PlayerOptions, SpacePlayer } from './state';

export async function openPlayer(options: PlayerOptions): Promise<SpacePlayer> {
  const codec = playableCodec();
  if (codec) return new Player({ ...options, codec });
  const { HlsPlayer } = await import('./hls');
  return new HlsPlayer(options);
}
