// When to offer a seat's connection anew. Pure: what happened and the time come in, the next state comes out.

/**
 * `up`, `shaky`, `down`: what the connection says of itself. `stranded`: the server has lost us, or its stage was
 * restarted. `silent`: nothing comes any more, whatever the connection says. `answered`, `unanswered`: what became of an offer. `offline`, `online`: what the browser says of the
 * network; `online` also stands for another network, and for a computer that slept.
 */
export type Sign =
  'up' | 'shaky' | 'down' | 'stranded' | 'silent' | 'answered' | 'unanswered' | 'offline' | 'online';

export interface Reconnection {
  /** `steady`: heard. `shaky`: it may mend itself. `trying`: an offer is on its way. `resting`: until `dueMs`. */
  phase: 'steady' | 'shaky' | 'trying' | 'settling' | 'resting';
  /** Offers since it was last steady. */
  attempt: number;
  /** Since when nobody is heard, or null. */
  lostMs: number | null;
  /** When to offer anew, or null if nothing is planned. */
  dueMs: number | null;
  offline: boolean;
}

/** So long the server keeps the seat of somebody whose connection is lost. */
export const SEAT_KEPT_MS = 30_000;
/** A short disturbance mends itself; a new offer beside it does no harm. */
const SHAKY_MS = 600;
/** ICE and DTLS are done in a fraction of it, or not at all. */
const SETTLES_WITHIN_MS = 4_000;
const FIRST_PAUSE_MS = 250;
const PAUSE_MAX_MS = 1_500;
/** When the seat is gone anyway, or the browser knows of no network. */
const PATIENT_PAUSE_MAX_MS = 10_000;

export const FIRST: Reconnection = {
  phase: 'resting',
  attempt: 0,
  lostMs: null,
  dueMs: 0,
  offline: false,
};

/** The state after a sign. `jitter` is in [0, 1): where many lose the stage at once, they don't return at once. */
export function after(state: Reconnection, sign: Sign, nowMs: number, jitter: number): Reconnection {
  const lostMs = state.lostMs ?? nowMs;
  switch (sign) {
    case 'up':
      return { ...state, phase: 'steady', attempt: 0, lostMs: null, dueMs: null };
    case 'shaky':
      return state.phase === 'steady' ? { ...state, phase: 'shaky', lostMs, dueMs: nowMs + SHAKY_MS } : state;
    case 'down':
    case 'silent':
    case 'stranded': {
      // While an offer is on its way, or planned, it says nothing new.
      if (state.phase === 'trying' || state.phase === 'resting') return state;
      const wait = sign === 'down' ? pauseMs(state, nowMs, jitter) : jitter * FIRST_PAUSE_MS;
      return { ...state, phase: 'resting', lostMs, dueMs: nowMs + wait };
    }
    case 'unanswered':
      return state.phase === 'trying'
        ? { ...state, phase: 'resting', lostMs, dueMs: nowMs + pauseMs(state, nowMs, jitter) }
        : state;
    case 'answered':
      // The connection before may have mended itself meanwhile: the new one takes its place all the same.
      return state.phase === 'trying'
        ? { ...state, phase: 'settling', dueMs: nowMs + SETTLES_WITHIN_MS }
        : state;
    case 'offline':
      return { ...after(state, 'shaky', nowMs, jitter), offline: true };
    case 'online': {
      const phase = state.phase === 'trying' ? 'resting' : state.phase;
      return { ...state, phase, offline: false, dueMs: nowMs };
    }
  }
}

/** The offer that was due is on its way. */
export function offered(state: Reconnection): Reconnection {
  return { ...state, phase: 'trying', attempt: state.attempt + 1, dueMs: null };
}

/** How much longer the seat is kept, in whole seconds; null while heard. */
export function keptForS(state: Reconnection, nowMs: number): number | null {
  if (state.lostMs === null) return null;
  return Math.max(0, Math.ceil((state.lostMs + SEAT_KEPT_MS - nowMs) / 1000));
}

function pauseMs(state: Reconnection, nowMs: number, jitter: number): number {
  if (state.attempt === 0) return 0;
  const isPatient = state.offline || nowMs - (state.lostMs ?? nowMs) > SEAT_KEPT_MS;
  const most = isPatient ? PATIENT_PAUSE_MAX_MS : PAUSE_MAX_MS;
  return Math.min(most, FIRST_PAUSE_MS * 2 ** (state.attempt - 1)) * (0.5 + jitter / 2);
}
