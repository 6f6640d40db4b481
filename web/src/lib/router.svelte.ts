// From addresses to pages. The server knows the same addresses and answers each with the shell.
import { tick } from 'svelte';

export type Route =
  | {
      name:
        | 'home'
        | 'public'
        | 'spaces'
        | 'sign-in'
        | 'sign-up'
        | 'setup'
        | 'password'
        | 'settings'
        | 'favourites'
        | 'bookmarks'
        | 'about'
        | 'missing';
    }
  | { name: 'moderation' | 'moderation-appeals' | 'moderation-accounts' | 'moderation-doors' }
  | { name: 'moderation-account'; id: string }
  | { name: 'space'; id: string }
  | { name: 'profile'; handle: string }
  | { name: 'thread'; handle: string; id: string };

const PLAIN: Record<string, Route> = {
  '/': { name: 'home' },
  '/public': { name: 'public' },
  '/spaces': { name: 'spaces' },
  '/sign-in': { name: 'sign-in' },
  '/sign-up': { name: 'sign-up' },
  '/setup': { name: 'setup' },
  '/password': { name: 'password' },
  '/settings': { name: 'settings' },
  '/favourites': { name: 'favourites' },
  '/bookmarks': { name: 'bookmarks' },
  '/about': { name: 'about' },
  '/moderation': { name: 'moderation' },
  '/moderation/appeals': { name: 'moderation-appeals' },
  '/moderation/accounts': { name: 'moderation-accounts' },
  '/moderation/doors': { name: 'moderation-doors' },
};

export function match(path: string): Route {
  const trimmed = path.length > 1 ? path.replace(/\/+$/, '') : path;
  const plain = PLAIN[trimmed];
  if (plain) return plain;
  const space = /^\/spaces\/(\d+)$/.exec(trimmed);
  if (space) return { name: 'space', id: space[1]! };
  const moderated = /^\/moderation\/accounts\/(\d+)$/.exec(trimmed);
  if (moderated) return { name: 'moderation-account', id: moderated[1]! };
  const person = /^\/@([^/]+)(?:\/(\d+))?$/.exec(trimmed);
  if (!person) return { name: 'missing' };
  const handle = decode(person[1]!);
  return person[2] ? { name: 'thread', handle, id: person[2] } : { name: 'profile', handle };
}

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

class Router {
  #path = $state(location.pathname);
  #query = $state(location.search);
  route = $derived(match(this.#path));

  get path(): string {
    return this.#path;
  }
  get query(): URLSearchParams {
    return new URLSearchParams(this.#query);
  }

  start(): void {
    addEventListener('popstate', () => this.#read());
    document.addEventListener('click', (event) => this.#follow(event));
  }

  async go(address: string, options: { replace?: boolean } = {}): Promise<void> {
    history[options.replace ? 'replaceState' : 'pushState'](null, '', address);
    this.#read();
    await tick();
    scrollTo(0, 0);
    // A screen reader hears where it is now, as it would after loading a page.
    document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true });
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

export const router = new Router();
