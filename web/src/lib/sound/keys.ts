// The keys of a player, as people know them from elsewhere. Pure: what was pressed comes in, what to do comes out.

export type KeyAction =
  { do: 'toggle' | 'help' } | { do: 'step'; ms: number } | { do: 'speed'; by: 1 | -1 } | { do: 'edge' };

export interface Pressed {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

const STEP_MS = 10_000;
const LONG_STEP_MS = 60_000;

export function actionOf(pressed: Pressed): KeyAction | null {
  if (pressed.ctrlKey || pressed.altKey || pressed.metaKey) return null;
  const step = pressed.shiftKey ? LONG_STEP_MS : STEP_MS;
  switch (pressed.key.length === 1 ? pressed.key.toLowerCase() : pressed.key) {
    case ' ':
    case 'k':
      return { do: 'toggle' };
    case 'ArrowLeft':
    case 'j':
      return { do: 'step', ms: -step };
    case 'ArrowRight':
    case 'l':
      return { do: 'step', ms: step };
    case '<':
      return { do: 'speed', by: -1 };
    case '>':
      return { do: 'speed', by: 1 };
    case 'End':
      return { do: 'edge' };
    case '?':
      return { do: 'help' };
    default:
      return null;
  }
}

/** Inputs that letters mean nothing to. */
const MOVED = 'input:is([type="checkbox"], [type="radio"], [type="range"])';
const MOVES = new Set([' ', 'Home', 'End', 'PageUp', 'PageDown']);

/** Whether a key pressed on this element is for the element: it writes there, moves it, or presses it. */
export function isForElement(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  const moves = MOVES.has(key) || key.startsWith('Arrow');
  if (target.matches(MOVED)) return moves;
  if (target.isContentEditable || target.matches('input, textarea, select, audio, video')) return true;
  // A button that the mouse has just pressed keeps the focus, and nobody means it any more.
  return moves && target.matches('button, a[href], summary, [role]') && isFocusSeen(target);
}

function isFocusSeen(element: HTMLElement): boolean {
  try {
    return element.matches(':focus-visible');
  } catch {
    return true;
  }
}

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5, 3];

/** The next speed up or down from this one. */
export function nextSpeed(speed: number, by: 1 | -1): number {
  const at = SPEEDS.findIndex((one) => one >= speed);
  return SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, at + by))]!;
}

/** For people: what the keys do. */
export const HELP: [keys: string[], does: string][] = [
  [['Space', 'K'], 'Play or pause'],
  [['←', 'J'], 'Back 10 seconds; with Shift a minute'],
  [['→', 'L'], 'On 10 seconds; with Shift a minute'],
  [['<', '>'], 'Slower, faster (replays)'],
  [['End'], 'To the live edge'],
  [['?'], 'This list'],
];
