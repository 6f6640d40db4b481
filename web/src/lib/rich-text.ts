// Posts arrive as HTML. Only what a post may contain becomes part of the page: the rest is left as its text.
import type { CustomEmoji } from './mastodon-types';

const KEPT = new Set([
  'P',
  'BR',
  'A',
  'SPAN',
  'EM',
  'STRONG',
  'B',
  'I',
  'DEL',
  'CODE',
  'PRE',
  'BLOCKQUOTE',
  'UL',
  'OL',
  'LI',
]);
const CLASSES = new Set(['mention', 'hashtag', 'u-url', 'h-card', 'invisible', 'ellipsis', 'quote-inline']);
const SHORTCODE = /:(\w{2,}):/g;

type Emojis = Map<string, CustomEmoji>;

/** A fragment of this HTML without scripts, styles, forms, images and handlers; with the server's own emoji. */
export function safeFragment(html: string, emojis: CustomEmoji[] = []): DocumentFragment {
  const parsed = new DOMParser().parseFromString(html, 'text/html');
  const out = document.createDocumentFragment();
  copyChildren(parsed.body, out, new Map(emojis.map((emoji) => [emoji.shortcode, emoji])));
  return out;
}

/** Plain text with the server's own emoji. */
export function textFragment(text: string, emojis: CustomEmoji[]): DocumentFragment {
  const out = document.createDocumentFragment();
  addText(text, out, new Map(emojis.map((emoji) => [emoji.shortcode, emoji])));
  return out;
}

function copyChildren(from: Node, to: Node, emojis: Emojis): void {
  for (const child of from.childNodes) {
    if (child instanceof Text) addText(child.data, to, emojis);
    else if (child instanceof Element && !['SCRIPT', 'STYLE', 'TEMPLATE'].includes(child.tagName)) {
      to.appendChild(copyElement(child, emojis));
    }
  }
}

function copyElement(element: Element, emojis: Emojis): Node {
  if (!KEPT.has(element.tagName)) {
    const inner = document.createDocumentFragment();
    copyChildren(element, inner, emojis);
    return inner;
  }
  const copy = document.createElement(element.tagName);
  for (const name of element.classList) if (CLASSES.has(name)) copy.classList.add(name);
  if (copy instanceof HTMLAnchorElement) copyLink(element as HTMLAnchorElement, copy);
  copyChildren(element, copy, emojis);
  return copy;
}

function copyLink(from: HTMLAnchorElement, to: HTMLAnchorElement): void {
  const href = from.getAttribute('href') ?? '';
  if (!/^(https?:\/\/|\/)/i.test(href)) return;
  to.href = href;
  to.rel = 'nofollow noopener noreferrer';
}

function addText(text: string, to: Node, emojis: Emojis): void {
  let end = 0;
  for (const found of emojis.size > 0 ? text.matchAll(SHORTCODE) : []) {
    const emoji = emojis.get(found[1]!);
    if (!emoji) continue;
    to.appendChild(document.createTextNode(text.slice(end, found.index)));
    to.appendChild(pictureOf(emoji));
    end = found.index + found[0].length;
  }
  to.appendChild(document.createTextNode(text.slice(end)));
}

function pictureOf(emoji: CustomEmoji): HTMLImageElement {
  const image = document.createElement('img');
  const still = matchMedia?.('(prefers-reduced-motion: reduce)').matches;
  image.src = still ? emoji.static_url : emoji.url;
  image.alt = image.title = `:${emoji.shortcode}:`;
  image.className = 'emoji';
  image.width = image.height = 20;
  return image;
}
