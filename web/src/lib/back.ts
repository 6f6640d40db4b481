// When a page comes back to life: the network is there again, or is another one, or the computer has slept.

export type Return = 'online' | 'woken';

const TICK_MS = 2_000;
/** A timer that is so late was not late: nothing ran. Background tabs are slowed to one tick a minute at most. */
const SLEPT_MS = 75_000;
const SLEPT_IN_FRONT_MS = 8_000;

interface Connection extends EventTarget {
  type?: string;
}

const listeners = new Set<(how: Return) => void>();

/** Calls back each time, until the returned function is called. */
export function onReturn(listener: (how: Return) => void): () => void {
  if (listeners.size === 0) watch();
  listeners.add(listener);
  return () => listeners.delete(listener);
}

let watching = false;

function watch(): void {
  if (watching) return;
  watching = true;
  addEventListener('online', () => tell('online'));
  // From the memory of the browser: every connection is dead.
  addEventListener('pageshow', (event) => {
    if (event.persisted) tell('woken');
  });
  document.addEventListener('resume', () => tell('woken'));
  watchConnection();
  watchClock();
}

/** From Wi-Fi to mobile and back there is not always a moment offline. */
function watchConnection(): void {
  const { connection } = navigator as { connection?: Connection };
  let type = connection?.type;
  connection?.addEventListener('change', () => {
    if (connection.type !== type && navigator.onLine) tell('online');
    type = connection.type;
  });
}

function watchClock(): void {
  let last = Date.now();
  setInterval(() => {
    const pausedMs = Date.now() - last - TICK_MS;
    last = Date.now();
    if (pausedMs > (document.visibilityState === 'visible' ? SLEPT_IN_FRONT_MS : SLEPT_MS)) tell('woken');
  }, TICK_MS);
}

function tell(how: Return): void {
  for (const listener of [...listeners]) listener(how);
}
