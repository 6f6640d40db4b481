// The keys of the square, as people know them from other clients. Pure.

export type PostKey =
  | { do: 'next' | 'previous' | 'write' | 'search' | 'help' | 'new' }
  | { do: 'press'; what: 'reply' | 'reblog' | 'favourite' | 'bookmark' | 'open' }
  | { do: 'thread' }
  | { do: 'go'; to: string };

const KEYS: Record<string, PostKey> = {
  j: { do: 'next' },
  k: { do: 'previous' },
  n: { do: 'write' },
  '/': { do: 'search' },
  s: { do: 'search' },
  '?': { do: 'help' },
  '.': { do: 'new' },
  r: { do: 'press', what: 'reply' },
  b: { do: 'press', what: 'reblog' },
  f: { do: 'press', what: 'favourite' },
  d: { do: 'press', what: 'bookmark' },
  x: { do: 'press', what: 'open' },
  Enter: { do: 'thread' },
};
const PLACES: Record<string, string> = {
  h: '/',
  l: '/public',
  n: '/notifications',
  s: '/spaces',
  f: '/favourites',
  b: '/bookmarks',
  c: '/conversations',
};

export const HELP: [keys: string[], does: string][] = [
  [['J', 'K'], 'The next post, the one before'],
  [['Enter'], 'Open the post'],
  [['R'], 'Reply'],
  [['B'], 'Boost'],
  [['F'], 'Favourite'],
  [['D'], 'Bookmark'],
  [['X'], 'Show what is behind a warning'],
  [['.'], 'Show new posts'],
  [['N'], 'Write a post'],
  [['Ctrl', 'Enter'], 'Send what you write'],
  [['/', 'S'], 'Search'],
  [['G', 'H'], 'Go home (one key after the other)'],
  [['G', 'L'], 'Go to the square'],
  [['G', 'N'], 'Go to the notifications'],
  [['G', 'S'], 'Go to the Spaces'],
  [['G', 'C'], 'Go to the conversations'],
  [['G', 'F'], 'Go to the favourites'],
  [['G', 'B'], 'Go to the bookmarks'],
  [['?'], 'This list'],
];

interface Pressed {
  key: string;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

/** What a key means; `afterG`: it follows a G. */
export function postKeyOf(pressed: Pressed, afterG: boolean): PostKey | null {
  if (pressed.ctrlKey || pressed.altKey || pressed.metaKey) return null;
  const key = pressed.key.length === 1 ? pressed.key.toLowerCase() : pressed.key;
  const to = PLACES[key];
  if (afterG) return to ? { do: 'go', to } : null;
  return KEYS[key] ?? null;
}
