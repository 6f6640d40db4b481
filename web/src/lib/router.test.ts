import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { inside, match, router } from './router.svelte';

describe('match', () => {
  it.each([
    ['/', { name: 'home' }],
    ['/public', { name: 'public' }],
    ['/spaces/', { name: 'spaces' }],
    ['/spaces/117661170313396224', { name: 'space', id: '117661170313396224' }],
    ['/@ada', { name: 'profile', handle: 'ada', side: null }],
    ['/@ada/with_replies', { name: 'profile', handle: 'ada', side: 'replies' }],
    ['/@ada/followers', { name: 'profile', handle: 'ada', side: 'followers' }],
    ['/@ada/tagged/caf%C3%A9', { name: 'profile', handle: 'ada', side: null, tag: 'café' }],
    ['/tags/caf%C3%A9', { name: 'tag', tag: 'café' }],
    ['/lists/7', { name: 'list', id: '7' }],
    ['/settings/filters', { name: 'filters' }],
    ['/@ada@example.org', { name: 'profile', handle: 'ada@example.org', side: null }],
    ['/@ada/12', { name: 'thread', handle: 'ada', id: '12' }],
    ['/@%', { name: 'profile', handle: '%', side: null }],
    ['/moderation', { name: 'moderation' }],
    ['/moderation/accounts/12', { name: 'moderation-account', id: '12' }],
    ['/moderation/reports', { name: 'missing' }],
    ['/spaces/new', { name: 'missing' }],
    ['/@ada/12/x', { name: 'missing' }],
    ['/media/abc', { name: 'missing' }],
    ['/api/v1/statuses', { name: 'missing' }],
  ])('%s', (path, route) => expect(match(path)).toEqual(route));
});

describe('inside', () => {
  it('keeps this client’s addresses and leaves all others to the browser', () => {
    const origin = 'https://here.example';
    expect(inside('/spaces/1?at=5', origin)).toBe('/spaces/1?at=5');
    expect(inside('https://here.example/@ada', origin)).toBe('/@ada');
    expect(inside('https://there.example/@ada', origin)).toBeNull();
    expect(inside('/api/folkmoot/v1/spaces/1/download', origin)).toBeNull();
  });
});

describe('router', () => {
  beforeAll(() => {
    vi.stubGlobal('scrollTo', () => undefined);
    router.start();
  });
  afterEach(() => (document.body.innerHTML = ''));

  const click = (html: string, init: MouseEventInit = {}) => {
    document.body.innerHTML = html;
    const event = new MouseEvent('click', { bubbles: true, cancelable: true, ...init });
    document.querySelector('a')!.dispatchEvent(event);
    return event.defaultPrevented;
  };

  it('follows links to its own pages', async () => {
    expect(click('<a href="/spaces/7">Space</a>')).toBe(true);
    await vi.waitFor(() => expect(router.route).toEqual({ name: 'space', id: '7' }));
  });

  it('leaves new tabs, downloads and other sites to the browser', () => {
    // jsdom can't navigate: what the router leaves alone is stopped here, after it has looked.
    window.addEventListener('click', (event) => event.preventDefault());
    for (const link of [
      '<a href="/public" target="_blank">x</a>',
      '<a href="/public" download>x</a>',
      '<a href="#main">x</a>',
      '<a href="https://example.org/public">x</a>',
    ]) {
      click(link);
    }
    click('<a href="/public">x</a>', { ctrlKey: true });
    expect(router.path).toBe('/spaces/7');
  });

  it('moves the focus to the heading of the new page', async () => {
    document.body.innerHTML = '<main><h1 tabindex="-1">Spaces</h1></main>';
    await router.go('/spaces');
    expect(document.activeElement?.textContent).toBe('Spaces');
  });
});
