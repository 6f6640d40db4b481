// What a phone's lock screen, a keyboard's media keys and a headset's button show and do (W3C Media Session).
import type { Account } from '../mastodon-types';

export interface Shown {
  title: string;
  host: Pick<Account, 'display_name' | 'username' | 'avatar'> | null;
  site: string;
}

export interface Place {
  durationS: number;
  positionS: number;
  rate: number;
}

type Actions = Partial<Record<MediaSessionAction, (details: MediaSessionActionDetails) => void>>;

/** `togglemicrophone` is newer than the types. */
const ACTIONS = [
  'play',
  'pause',
  'stop',
  'seekbackward',
  'seekforward',
  'seekto',
  'togglemicrophone',
] as MediaSessionAction[];

const session = (): MediaSession | undefined => navigator.mediaSession;

/** What is heard, and whom. */
export function show(shown: Shown): void {
  if (!session()) return;
  const name = shown.host?.display_name || shown.host?.username || '';
  const icon = { src: `${location.origin}/logo.svg`, type: 'image/svg+xml', sizes: 'any' };
  const face = shown.host?.avatar ? [{ src: shown.host.avatar }] : [];
  session()!.metadata = new MediaMetadata({
    title: shown.title,
    artist: name,
    album: shown.site,
    artwork: [...face, icon],
  });
}

/** The buttons that do something; the others are not there. */
export function offer(actions: Actions): void {
  for (const action of ACTIONS) {
    try {
      session()?.setActionHandler(action, actions[action] ?? null);
    } catch {
      // A browser that doesn't know this button.
    }
  }
}

export function tell(state: MediaSessionPlaybackState, place: Place | null): void {
  const here = session();
  if (!here) return;
  here.playbackState = state;
  // What is live has no length.
  if (!place) here.setPositionState?.();
  else if (place.durationS > 0)
    here.setPositionState?.({
      duration: place.durationS,
      position: Math.min(Math.max(0, place.positionS), place.durationS),
      playbackRate: place.rate,
    });
}

export function tellMicrophone(active: boolean): void {
  const here = session() as { setMicrophoneActive?: (active: boolean) => unknown } | undefined;
  void Promise.resolve(here?.setMicrophoneActive?.(active)).catch(() => undefined);
}

export function clear(): void {
  if (!session()) return;
  session()!.metadata = null;
  offer({});
  tell('none', null);
}
