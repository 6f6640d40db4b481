/** A live Space waits so long for a host before it ends by itself. */
const HOLD_MS = 180_000;
const TOLERANCE_MS = 500;

/** Whether no host has been connected yet: the Space still holds since its very start. Times in RFC 3339. */
export function holdsSinceStart(startedAt: string | null, holdUntil: string): boolean {
  if (startedAt === null) return true;
  return Date.parse(holdUntil) - Date.parse(startedAt) <= HOLD_MS + TOLERANCE_MS;
}
