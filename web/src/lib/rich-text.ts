// Posts arrive as HTML. Only what a post may contain becomes part of the page: the rest is left as its text.

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
const CLASSES = new Set(['mention', 'hashtag', 'u-url', 'h-card', 'invisible', 'ellipsis']);

/** A fragment of this HTML without scripts, styles, forms, images and handlers. */
export function safeFragment(html: string): DocumentFragment {
  const parsed = new DOMParser().parseFromString(html, 'text/html');
  const out = document.createDocumentFragment();
  copyChildren(parsed.body, out);
  return out;
}

function copyChildren(from: Node, to: Node): void {
  for (const child of from.childNodes) {
    if (child instanceof Text) to.appendChild(document.createTextNode(child.data));
    else if (child instanceof Element && !['SCRIPT', 'STYLE', 'TEMPLATE'].includes(child.tagName)) {
      to.appendChild(copyElement(child));
    }
  }
}

function copyElement(element: Element): Node {
  if (!KEPT.has(element.tagName)) {
    const inner = document.createDocumentFragment();
    copyChildren(element, inner);
    return inner;
  }
  const copy = document.createElement(element.tagName);
  for (const name of element.classList) if (CLASSES.has(name)) copy.classList.add(name);
  if (copy instanceof HTMLAnchorElement) copyLink(element as HTMLAnchorElement, copy);
  copyChildren(element, copy);
  return copy;
}

function copyLink(from: HTMLAnchorElement, to: HTMLAnchorElement): void {
  const href = from.getAttribute('href') ?? '';
  if (!/^(https?:\/\/|\/)/i.test(href)) return;
  to.href = href;
  to.rel = 'nofollow noopener noreferrer';
}
