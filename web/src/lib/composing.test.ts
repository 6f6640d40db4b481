import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { composing, resume, reword, writeAnew } from './composing.svelte';
import { draftAt, draftsOf, emptyDraft, keepDraft } from './drafts.svelte';
import type { ScheduledStatus, Status } from './mastodon-types';

const POST = {
  id: '5',
  account: { id: '1' },
  visibility: 'unlisted',
  language: 'en',
  sensitive: true,
  media_attachments: [{ id: '70' }],
  poll: null,
  in_reply_to_id: '4',
  quote: { state: 'accepted', quoted_status: { id: '3' } },
  quote_approval: { automatic: ['followers'], current_user: 'automatic' },
} as unknown as Status;
const PLACE = 'redraft:5:4:3';

/** What the server answers, by method and address; null: no answer comes. */
let answers: Record<string, [status: number, body: unknown] | null>;
let asked: string[];
/** Whether the words were in this browser by the time the server was told to delete them. */
let keptBefore: boolean;
const ongone = vi.fn();

beforeEach(() => {
  localStorage.clear();
  composing.close();
  ongone.mockClear();
  [asked, keptBefore] = [[], false];
  answers = {
    'GET 5/source': [200, { id: '5', text: 'my *words*', spoiler_text: 'long' }],
    'GET 4': [200, { id: '4', visibility: 'public' }],
    'GET 3': [200, { id: '3' }],
    'DELETE 5': [200, { id: '5' }],
  };
  vi.stubGlobal('fetch', (path: string, { method = 'GET' }: RequestInit) => {
    const name = `${method} ${path.replace(/^\/api\/v1\/(scheduled_)?statuses\//, '')}`;
    asked.push(name);
    if (method === 'DELETE') keptBefore = draftAt('1', PLACE)?.text === 'my *words*';
    const answer = answers[name];
    if (!answer) return Promise.reject(new TypeError('gone'));
    return Promise.resolve(new Response(JSON.stringify(answer[1]), { status: answer[0] }));
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('a post that is deleted and written anew', () => {
  it('is a draft before it is deleted, and stands in the form with what it answered and quoted', async () => {
    await writeAnew(POST, ongone);
    expect([keptBefore, ongone.mock.calls.length]).toEqual([true, 1]);
    expect(composing.now).toMatchObject({ place: PLACE, replyTo: { id: '4' }, quote: { id: '3' } });
    expect(draftAt('1', PLACE)).toMatchObject({
      text: 'my *words*',
      warning: 'long',
      visibility: 'unlisted',
      media: [{ id: '70' }],
      quotePolicy: 'followers',
    });
  });

  it.each([
    ['the answer is lost', 'DELETE 5', null],
    ['the server fails', 'DELETE 5', [500, {}]],
    ['the network goes right after', 'GET 4', null],
  ] as const)('keeps its words when %s, and says where', async (_, which, answer) => {
    answers[which] = answer as [number, unknown] | null;
    await expect(writeAnew(POST, ongone)).rejects.toThrow(/kept under Drafts/);
    expect(draftsOf('1').map(({ draft }) => draft.text)).toEqual(['my *words*']);
  });

  it('goes on when it was gone already: the browser had asked twice', async () => {
    answers['DELETE 5'] = [404, { error: 'Record not found' }];
    await writeAnew(POST, ongone);
    expect([ongone.mock.calls.length, composing.now?.place]).toEqual([1, PLACE]);
  });

  it('is not deleted while its words can’t be read', async () => {
    answers['GET 5/source'] = null;
    await expect(writeAnew(POST, ongone)).rejects.toThrow(/can’t be reached/);
    expect(asked).toEqual(['GET 5/source']);
  });

  it('has its words in the form also where nothing can be stored', async () => {
    vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
      throw new DOMException('full', 'QuotaExceededError');
    });
    await writeAnew(POST, ongone);
    expect(draftAt('1', PLACE)?.text).toBe('my *words*');
    vi.restoreAllMocks();
    keepDraft('1', PLACE, null, Date.now());
    expect(draftAt('1', PLACE)).toBe(null);
  });
});

describe('a draft that is gone on with', () => {
  it('stands by itself when the post that it answers is gone, and waits when the network is', async () => {
    keepDraft('1', 'reply:4', { ...emptyDraft(), text: 'an answer' }, Date.now());
    answers['GET 4'] = null;
    await expect(resume('reply:4')).rejects.toThrow(/can’t be reached/);
    expect(composing.now).toBe(null);
    answers['GET 4'] = [404, {}];
    await resume('reply:4');
    expect(composing.now).toMatchObject({ place: 'reply:4', replyTo: undefined });
  });

  it('takes the place of the scheduled post that it was, also after the page was left', async () => {
    const scheduled = {
      id: '9',
      scheduled_at: '2030-01-01T00:00:00.000Z',
      params: { text: 'later', in_reply_to_id: '4', visibility: 'public', quote_approval_policy: 'nobody' },
      media_attachments: [],
    } as unknown as ScheduledStatus;
    reword(scheduled, () => undefined);
    expect(composing.now).toMatchObject({ replyTo: { id: '4' }, start: { quotePolicy: 'nobody' } });
    await resume(composing.now!.place!);
    expect(composing.now?.replyTo?.id).toBe('4');
    composing.now!.onscheduled!();
    expect(asked.at(-1)).toBe('DELETE 9');
  });
});
