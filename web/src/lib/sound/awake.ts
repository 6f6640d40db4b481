// Keeps a phone's screen on while somebody speaks: many phones take the microphone away with the light.

/** Until the returned function is called; where the browser has no such lock, or refuses it, nothing happens. */
export function keepAwake(): () => void {
  let lock: WakeLockSentinel | null = null;
  let ended = false;
  // The browser lets it go whenever the page is hidden.
  const ask = async () => {
    if (ended || document.visibilityState !== 'visible') return;
    lock = (await navigator.wakeLock?.request('screen').catch(() => null)) ?? null;
    if (ended) void lock?.release();
  };
  document.addEventListener('visibilitychange', ask);
  void ask();
  return () => {
    ended = true;
    document.removeEventListener('visibilitychange', ask);
    void lock?.release();
  };
}
