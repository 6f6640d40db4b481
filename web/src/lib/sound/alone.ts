// A clip plays alone: the Space pauses, and so does the clip before.
import { sound } from './sound.svelte';

let current: HTMLAudioElement | null = null;

export function playAlone(audio: HTMLAudioElement): void {
  sound.pause();
  if (current !== audio) current?.pause();
  current = audio;
}
