import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sendJson } from './api/client';
import { Composition, markOf } from './composition.svelte';
import { draftAt, emptyDraft } from './drafts.svelte';
import type { NewStatus } from './api/square';

interface Sent {
  body: NewStatus;
  key: string;
  keepalive: boolean;
}

/** A server that takes posts, and fails at those in `failing`. */
let sent: Sent[];
let failing: Set<number>;
beforeEach(() => {
  [sent, failing] = [[], new Set()];
  localStorage.clear();
  vi.stubGlobal('fetch', (_: string, init: RequestInit) => {
    const headers = init.headers as Record<string, string>;
    const body = JSON.parse((init.body as string | undefined) ?? '{}') as NewStatus;
    sent.push({ body, key: headers['Idempotency-Key'] ?? '', keepalive: Boolean(init.keepalive) });
    if (failing.delete(sent.length)) return Promise.reject(new TypeError('gone'));
    return Promise.resolve(
      new Response(JSON.stringify({ id: `id of ${body.status}`, content: body.status })),
    );
  });
});
afterEach(() => vi.unstubAllGlobals());

function thread(...texts: string[]): Composition {
  const post = new Composition({ replyTo: { id: '7', visibility: 'unlisted' } }, '1', emptyDraft());
  texts.forEach((text, index) => {
    if (index > 0) post.addAnother();
    post.text = text;
  });
  return post;
}
const answered = () => sent.map(({ body }) => [body.status, body.in_reply_to_id]);

describe('a thread', () => {
  it('goes out in its order, each post below the one before it', async () => {
    const post = thread('a', '  ', 'c');
    post.turnTo(0);
    expect([post.text, post.before.length, post.after.length]).toEqual(['a', 0, 2]);
    const answers = await post.send();
    expect(answers.map(({ id }) => id)).toEqual(['id of a', 'id of c']);
    expect(answered()).toEqual([
      ['a', '7'],
      ['c', 'id of a'],
    ]);
    expect([post.text, post.isThread, post.isBegun, draftAt('1', 'reply:7')]).toEqual([
      '',
      false,
      false,
      null,
    ]);
  });

  it('keeps what is not out, and goes on there under the same key', async () => {
    const post = thread('a', 'b', 'c');
    failing.add(2);
    await expect(post.send()).rejects.toThrow('can’t be reached');
    expect([post.text, post.posted.length, post.after.map(({ text }) => text)]).toEqual(['b', 1, ['c']]);
    // The page is loaded again meanwhile.
    const again = new Composition(post.purpose, '1', emptyDraft());
    expect([again.text, again.wasUnderWay]).toEqual(['b', true]);
    await again.send();
    expect(answered().slice(1)).toEqual([
      ['b', 'id of a'],
      ['b', 'id of a'],
      ['c', 'id of b'],
    ]);
    expect(sent[2]!.key).toBe(sent[1]!.key);
    expect(new Set(sent.map(({ key }) => key)).size).toBe(3);
  });

  it('is over when the form is emptied', async () => {
    const post = thread('a', 'b');
    failing.add(2);
    await expect(post.send()).rejects.toThrow();
    post.text = '';
    post.keep(1);
    post.text = 'something else';
    await post.send();
    expect(answered().at(-1)).toEqual(['something else', '7']);
  });

  it('loses a post, and shows the next', () => {
    const post = thread('a', 'b', 'c');
    post.drop(0);
    expect([post.text, post.before.map(({ text }) => text)]).toEqual(['c', ['b']]);
    post.drop(1);
    expect([post.text, post.isThread]).toEqual(['b', false]);
  });

  it('has another key once it is worded otherwise', () => {
    expect(markOf({ a: 1 })).toBe(markOf({ a: 1 }));
    expect(markOf({ a: 1 })).not.toBe(markOf({ a: 2 }));
  });
});

describe('what is done while the page is left', () => {
  it('is done, as long as it is small enough for browsers', async () => {
    await sendJson('POST', '/x');
    await sendJson('POST', '/x', { status: 'a' });
    await sendJson('POST', '/x', { status: 'ä'.repeat(9_000) });
    expect(sent.map(({ keepalive }) => keepalive)).toEqual([true, true, false]);
  });
});
