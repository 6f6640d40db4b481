// From addresses to pages. The server knows the same addresses and answers each with the shell.
import { tick } from 'svelte';

const PLAIN = {
  '/': 'home',
  '/public': 'public',
  '/spaces': 'spaces',
  '/sign-in': 'sign-in',
  '/sign-up': 'sign-up',
  '/setup': 'setup',
  '/password': 'password',
  '/settings': 'settings',
  '/settings/preferences': 'preferences',
  '/settings/mutes': 'mutes',
  '/settings/blocks': 'blocks',
  '/settings/followed-tags': 'followed-tags',
  '/settings/filters': 'filters',
  '/settings/security': 'security',
  '/confirm-email': 'confirm-email',
  '/forgotten': 'forgotten',
  '/second-factor': 'lost-factors',
  '/favourites': 'favourites',
  '/bookmarks': 'bookmarks',
  '/notifications': 'notifications',
  '/conversations': 'conversations',
  '/follow-requests': 'follow-requests',
  '/lists': 'lists',
  '/scheduled': 'scheduled',
  '/search': 'search',
  '/about': 'about',
  '/moderation': 'moderation',
  '/moderation/appeals': 'moderation-appeals',
  '/moderation/accounts': 'moderation-accounts',
  '/moderation/doors': 'moderation-doors',
} as const;

export type PlainName = (typeof PLAIN)[keyof typeof PLAIN] | 'missing';
export type Side = 'replies' | 'media' | 'followers' | 'following';
export type Route =
  | { name: PlainName }
  | { name: 'moderation-account' | 'space' | 'list'; id: string }
  | { name: 'tag'; tag: string }
  | { name: 'profile'; handle: string; side: Side | null; tag?: string }
  | { name: 'thread'; handle: string; id: string };

const SIDES: Record<string, Side> = {
  with_replies: 'replies',
  media: 'media',
  followers: 'followers',
  following: 'following',
};

export function match(path: string): Route {
  const trimmed = path.length > 1 ? path.replace(/\/+$/, '') : path;
  if (Object.hasOwn(PLAIN, trimmed)) return { name: PLAIN[trimmed as keyof typeof PLAIN] };
  const numbered = /^\/(spaces|lists|moderation\/accounts)\/(\d+)$/.exec(trimmed);
  if (numbered) return { name: NUMBERED[numbered[1]!]!, id: numbered[2]! };
  const tag = /^\/tags\/([^/]+)$/.exec(trimmed);
  if (tag) return { name: 'tag', tag: decode(tag[1]!) };
  const person = /^\/@([^/]+)(?:\/(?:tagged\/([^/]+)|(\d+|with_replies|media|followers|following)))?$/.exec(
    trimmed,
  );
  if (!person) return { name: 'missing' };
  const handle = decode(person[1]!);
  if (person[2]) return { name: 'profile', handle, side: null, tag: decode(person[2]) };
  const rest = person[3];
  if (rest && /^\d/.test(rest)) return { name: 'thread', handle, id: rest };
  return { name: 'profile', handle, side: rest ? SIDES[rest]! : null };
}

const NUMBERED: Record<string, 'space' | 'list' | 'moderation-account'> = {
  spaces: 'space',
  lists: 'list',
  'moderation/accounts': 'moderation-account',
};

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The address within this client that a link leads to, or null for one that the browser should follow. */
export function inside(href: string, origin: string): string | null {
  const url = new URL(href, origin);
  if (url.origin !== origin || match(url.pathname).name === 'missing') return null;
  return url.pathname + url.search + url.hash;
}

/** Where one was on a page is known to its entry of the history. */
interface Left {
  y?: number;
}
/** Where one comes to stand on the next page. */
interface Landing {
  y: number;
  isNew: boolean;
}
const RESTORE_MS = 3_000;

class Router {
  #path = $state(location.pathname);
  #query = $state(location.search);
  route = $derived(match(this.#path));
  #landing: Landing | null = null;

  get path(): string {
    return this.#path;
  }
  get query(): URLSearchParams {
    return new URLSearchParams(this.#query);
  }

  start(): void {
    history.scrollRestoration = 'manual';
    addEventListener('popstate', (event) => {
      // Where the page before was left is not where this one was.
      clearTimeout(noting);
      this.#land(event.state as Left | null);
      this.#read();
    });
    // After a reload, too.
    this.#land(history.state as Left | null);
    addEventListener('scroll', noteSoon, { passive: true });
    addEventListener('pagehide', note);
    document.addEventListener('click', (event) => this.#follow(event));
  }

  async go(address: string, options: { replace?: boolean } = {}): Promise<void> {
    note();
    const before = this.route;
    history[options.replace ? 'replaceState' : 'pushState'](null, '', address);
    this.#landing = { y: 0, isNew: true };
    this.#read();
    if (this.route === before) await this.landed();
  }

  /** To be called when the page is drawn. */
  async landed(): Promise<void> {
    const landing = this.#landing;
    this.#landing = null;
    await tick();
    if (landing?.isNew) {
      scrollTo(0, 0);
      // A screen reader hears where it is now, as it would after loading a page.
      document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true });
    } else if (landing) await restore(landing.y);
  }

  #land(left: Left | null): void {
    this.#landing = left?.y === undefined ? null : { y: left.y, isNew: false };
    restoring = this.#landing !== null;
  }

  #read(): void {
    this.#path = location.pathname;
    this.#query = location.search;
  }

  #follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.('a');
    if (!link?.href || link.target || link.hasAttribute('download')) return;
    if (link.getAttribute('href')!.startsWith('#')) return;
    const address = inside(link.href, location.origin);
    if (address === null) return;
    event.preventDefault();
    void this.go(address);
  }
}

let noting: ReturnType<typeof setTimeout> | undefined;
let restoring = false;

function note(): void {
  clearTimeout(noting);
  if (!restoring) history.replaceState({ y: scrollY }, '');
}

function noteSoon(): void {
  clearTimeout(noting);
  noting = setTimeout(note, 150);
}

/** As soon as the page is long enough; not against somebody who scrolls. */
async function restore(y: number): Promise<void> {
  const until = performance.now() + RESTORE_MS;
  restoring = true;
  const stop = () => (restoring = false);
  for (const kind of ['wheel', 'touchmove', 'keydown']) addEventListener(kind, stop, { once: true });
  await tick();
  while (restoring && performance.now() < until) {
    scrollTo(0, y);
    if (Math.abs(scrollY - y) < 2) break;
    await new Promise(requestAnimationFrame);
  }
  restoring = false;
}

export const router = new Router();
