const AT_ONCE_MAX = 8;

/** The reactions that came between two totals, at most a few of them: a jump back or far ahead shows no storm. */
export function gained(before: Record<string, number>, now: Record<string, number>): string[] {
  return Object.entries(now)
    .flatMap(([emoji, total]) =>
      Array<string>(Math.max(0, Math.min(AT_ONCE_MAX, total - (before[emoji] ?? 0)))).fill(emoji),
    )
    .slice(0, AT_ONCE_MAX);
}
