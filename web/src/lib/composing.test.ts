import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Composition } from './composition.svelte';
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

  it('is no draft while the server keeps it: there would be two of it', async () => {
    answers['DELETE 5'] = [403, { error: 'Not now' }];
    await expect(writeAnew(POST, ongone)).rejects.toThrow(/^Not now$/);
    expect(draftsOf('1')).toEqual([]);
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

  it('is deleted first where it is still there, when no answer had come', async () => {
    answers['DELETE 5'] = null;
    await expect(writeAnew(POST, ongone)).rejects.toThrow(/kept under Drafts/);
    await expect(resume(PLACE)).rejects.toThrow(/can’t be reached/);
    expect([composing.now, draftAt('1', PLACE)?.text]).toEqual([null, 'my *words*']);
    answers['DELETE 5'] = [200, {}];
    await resume(PLACE);
    expect([asked.slice(-3), composing.now]).toMatchObject([
      ['DELETE 5', 'GET 4', 'GET 3'],
      { place: PLACE },
    ]);
  });
});

describe('a scheduled post that is worded anew', () => {
  const SCHEDULED = {
    id: '9',
    scheduled_at: '2030-01-01T00:00:00.000Z',
    params: {
      text: 'later',
      in_reply_to_id: '4',
      quoted_status_id: '3',
      visibility: 'public',
      quote_approval_policy: 'nobody',
    },
    media_attachments: [{ id: '70' }],
  } as unknown as ScheduledStatus;
  const form = () => new Composition(composing.now!, '1', { ...emptyDraft(), ...composing.now!.start });
  const placeAt9 = () => draftAt('1', 'scheduled:9:4:3');

  beforeEach(async () => {
    await reword(SCHEDULED);
    asked = [];
    answers['DELETE 9'] = [200, {}];
    answers['POST /api/v1/statuses'] = [200, { id: '10', scheduled_at: '2030-01-01T00:00:00.000Z' }];
  });

  it('keeps what it answers and quotes, and who may quote it, also after the page was left', async () => {
    const asks = { replyTo: { id: '4' }, quote: { id: '3' }, place: 'scheduled:9:4:3' };
    expect(composing.now).toMatchObject({ ...asks, start: { quotePolicy: 'nobody', replaces: '9' } });
    await resume(composing.now!.place!);
    expect(composing.now).toMatchObject({ ...asks, start: { replaces: '9' } });
  });

  it('gives its files back before the other is sent', async () => {
    await form().send();
    expect(asked).toEqual(['DELETE 9', 'POST /api/v1/statuses']);
    expect(placeAt9()).toBe(null);
  });

  it('is a draft when the other is refused, and is taken back only once', async () => {
    answers['POST /api/v1/statuses'] = [422, { error: 'Too long' }];
    await expect(form().send()).rejects.toThrow('Too long');
    expect(placeAt9()).toMatchObject({ text: 'later', replaces: null, media: [{ id: '70' }] });
    await resume('scheduled:9:4:3');
    answers['POST /api/v1/statuses'] = [200, { id: '10' }];
    await form().send();
    expect(asked.filter((one) => one === 'DELETE 9')).toEqual(['DELETE 9']);
  });

  it('is not sent by itself when its time came meanwhile', async () => {
    answers['DELETE 9'] = [404, {}];
    const post = form();
    await expect(post.send()).rejects.toThrow(/was posted, or cancelled/);
    expect([asked, placeAt9()?.text]).toEqual([['DELETE 9'], 'later']);
    await post.send();
    expect(asked.at(-1)).toBe('POST /api/v1/statuses');
  });

  it('stays as long as nobody answers', async () => {
    answers['DELETE 9'] = null;
    await expect(form().send()).rejects.toThrow(/can’t be reached/);
    expect([asked, placeAt9()?.replaces]).toEqual([['DELETE 9'], '9']);
  });
});
