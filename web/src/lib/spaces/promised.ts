// One's own reaction shows at once, before the totals that travel with the sound have it.

export type Totals = Readonly<Record<string, number>>;

/** The totals to show: what was told, and at least what one's own presses make of it. */
export function withPromised(told: Totals, promised: Totals): Totals {
  const most = Object.entries(promised).map(([emoji, total]) => [emoji, Math.max(total, told[emoji] ?? 0)]);
  return { ...told, ...Object.fromEntries(most) };
}

/** What is still to be shown beyond the told totals. */
export function stillPromised(told: Totals, promised: Totals): Totals {
  return Object.fromEntries(Object.entries(promised).filter(([emoji, total]) => total > (told[emoji] ?? 0)));
}
