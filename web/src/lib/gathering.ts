// A post and its boosts are one thing to who reads. Pure.
import type { Account, Status } from './mastodon-types';

/** A post as a list shows it: with what else came of it, the newest first. */
export interface Row extends Status {
  also?: Status[];
}

export const postOf = (row: Row): string => (row.reblog ?? row).id;

/** All that a row stands for. */
export function partsOf({ also = [], ...first }: Row): Status[] {
  return [first, ...also];
}

/** One row for each post, where the first of it stands. */
export function gathered(rows: Row[]): Row[] {
  const found = new Map<string, Map<string, Status>>();
  for (const part of rows.flatMap(partsOf)) {
    const post = postOf(part);
    if (!found.has(post)) found.set(post, new Map());
    found.get(post)!.set(part.id, part);
  }
  return [...found.values()].map((parts) => rowOf([...parts.values()])!);
}

/** What is left of a row without those parts; null where it is nothing. */
export function without(row: Row, isGone: (id: string) => boolean): Row | null {
  if (isGone(postOf(row))) return null;
  const parts = partsOf(row);
  const left = parts.filter((part) => !isGone(part.id));
  return left.length === parts.length ? row : rowOf(left);
}

function rowOf([first, ...also]: Status[]): Row | null {
  if (!first) return null;
  return also.length > 0 ? { ...first, also } : first;
}

/** Who boosted it, each once, the last to do so first. */
export function boostersOf(row: Row): Account[] {
  const found = partsOf(row).filter((part) => part.reblog);
  return [...new Map(found.map(({ account }) => [account.id, account])).values()];
}
