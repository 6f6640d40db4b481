// Where somebody stopped in each replay. Pure, but for where it is kept.
import { remember, remembered } from '../remembered';

const NAME = 'positions';
const KEPT_MAX = 50;
/** Who heard less hasn't begun; who has less left is through. */
const WORTH_MS = 10_000;

/** The newest last. */
export type Positions = [spaceId: string, positionMs: number][];

/** The list after somebody was at this position of a replay that goes from `startMs` to `endMs`. */
export function noted(
  positions: Positions,
  spaceId: string,
  positionMs: number,
  [startMs, endMs]: readonly [number, number],
): Positions {
  const others = positions.filter(([id]) => id !== spaceId);
  const isWorth = positionMs - startMs >= WORTH_MS && endMs - positionMs >= WORTH_MS;
  return isWorth ? [...others.slice(1 - KEPT_MAX), [spaceId, Math.round(positionMs)]] : others;
}

export function notePosition(spaceId: string, positionMs: number, bounds: readonly [number, number]): void {
  remember(NAME, noted(remembered<Positions>(NAME, []), spaceId, positionMs, bounds));
}

/** Null where nothing is remembered, or what is lies before the beginning that the replay has now. */
export function positionIn(spaceId: string, startMs: number): number | null {
  const found = remembered<Positions>(NAME, []).find(([id]) => id === spaceId);
  return found && found[1] > startMs ? found[1] : null;
}
