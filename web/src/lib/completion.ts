// What is being written at the caret, and what takes its place. Pure.

export interface Fragment {
  kind: 'mention' | 'hashtag' | 'emoji';
  /** Without its sign. */
  query: string;
  from: number;
  to: number;
}

const BEGUN = /(?:^|[\s(])(?:(@)([\w.-]+(?:@[\w.-]*)?)|(#)([\p{L}\p{N}\p{M}_·]+)|(:)([\w+-]{2,}))$/u;

/** The mention, hashtag or emoji that ends at the caret, or null. */
export function fragmentAt(text: string, caret: number): Fragment | null {
  const found = BEGUN.exec(text.slice(0, caret));
  if (!found) return null;
  const [, at, name, hash, tag, , shortcode] = found;
  const kind = at ? 'mention' : hash ? 'hashtag' : 'emoji';
  const query = (name ?? tag ?? shortcode)!;
  return { kind, query, from: caret - query.length - 1, to: caret };
}

/** The text with the fragment completed, and where the caret is then. */
export function completed(text: string, fragment: Fragment, chosen: string): { text: string; caret: number } {
  const after = text.slice(fragment.to);
  const inserted = chosen + (/^\s/.test(after) ? '' : ' ');
  return {
    text: text.slice(0, fragment.from) + inserted + after,
    caret: fragment.from + inserted.length + (inserted.endsWith(' ') ? 0 : 1),
  };
}

/** The text with this in place of the selection. A `:shortcode:` is one only between spaces. */
export function insertedAt(
  text: string,
  from: number,
  to: number,
  inserted: string,
): { text: string; caret: number } {
  const before = text.slice(0, from);
  const after = text.slice(to);
  const isShortcode = inserted.startsWith(':');
  const lead = isShortcode && /\S$/.test(before) ? ' ' : '';
  const tail = isShortcode && !/^\s/.test(after) ? ' ' : '';
  return {
    text: before + lead + inserted + tail + after,
    caret: before.length + lead.length + inserted.length + tail.length,
  };
}
