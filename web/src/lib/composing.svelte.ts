// The form that opens above a page: for a quote, a change, a post from anywhere.
import { ApiError } from './api/client';
import { deleteStatus, getSource, getStatus } from './api/square';
import type { Purpose } from './composition.svelte';
import { emptyDraft, keepDraft, type Draft } from './drafts.svelte';
import { gone } from './statuses.svelte';
import { toasts } from './toasts.svelte';
import { asSentence } from './words';
import type { QuotePolicy, ScheduledStatus, Status } from './mastodon-types';

export interface Asked extends Purpose {
  title: string;
}

class Composing {
  now = $state.raw<Asked | null>(null);

  open(asked: Asked): void {
    this.now = asked;
  }

  close(): void {
    this.now = null;
  }
}

export const composing = new Composing();

export async function edit(status: Status): Promise<void> {
  composing.open({ title: KINDS.edit, editing: status, start: await contentOf(status) });
}

/** What stands in a post, as the form has it. */
async function contentOf(status: Status): Promise<Partial<Draft>> {
  const { text, spoiler_text } = await getSource(status.id);
  const { poll } = status;
  return {
    text,
    warning: spoiler_text || null,
    visibility: status.visibility,
    language: status.language ?? '',
    sensitive: status.sensitive,
    media: status.media_attachments,
    poll: poll && {
      options: poll.options.map((option) => option.title),
      multiple: poll.multiple,
      expiresInS: secondsLeft(poll.expires_at),
    },
  };
}

const LEAST_S = 300;
const DAY_S = 86_400;
const secondsLeft = (at: string | null): number =>
  at ? Math.max(LEAST_S, Math.round((Date.parse(at) - Date.now()) / 1000)) : DAY_S;

/** What is kept under a place, by the word that the place begins with. */
export const KINDS = {
  reply: 'A reply',
  quote: 'A quote',
  edit: 'Edit your post',
  redraft: 'Write it anew',
  scheduled: 'Edit the scheduled post',
  to: 'To somebody',
};
export const kindOf = (place: string): string =>
  KINDS[place.split(':')[0] as keyof typeof KINDS] ?? 'A draft';

/** Takes a post back into the form. Its words are a draft before it is deleted: whatever happens then, they stay. */
export async function writeAnew(post: Status, ongone: () => void): Promise<void> {
  const place = ['redraft', post.id, post.in_reply_to_id ?? '', post.quote?.quoted_status?.id ?? ''].join(
    ':',
  );
  const draft: Draft = { ...emptyDraft(), ...(await contentOf(post)), quotePolicy: policyOf(post) };
  if (draft.poll) draft.poll.expiresInS = DAY_S;
  keepDraft(post.account.id, place, draft, Date.now());
  let isThere = true;
  try {
    await deleteStatus(post.id);
    isThere = false;
    ongone();
    await open(place);
  } catch (error) {
    if (isThere && error instanceof ApiError && error.status >= 400 && error.status < 500) {
      // It is said that it stays: then so do its words, there.
      keepDraft(post.account.id, place, null, Date.now());
      throw error;
    }
    throw new Error(`${asSentence(error)} What it said is kept under Drafts, on the home page.`);
  }
}

const policyOf = ({ quote_approval }: Status): QuotePolicy =>
  quote_approval ? (quote_approval.automatic[0] ?? 'nobody') : 'public';

/** Opens what was kept under this place. */
export async function resume(place: string): Promise<void> {
  const [kind, id = ''] = place.split(':');
  if (kind === 'redraft') {
    // Perhaps it is still there: no answer came when it was to be deleted. Its words would be out twice.
    await deleteStatus(id);
    gone.add(id);
  }
  await open(place);
}

/** With the posts that it changes, answers or quotes. */
async function open(place: string): Promise<void> {
  const [kind, id = '', answered = '', quoted = ''] = place.split(':');
  const changed = kind === 'edit' && (await stillThere(id));
  if (changed) return edit(changed);
  composing.open({
    title: kindOf(place),
    place,
    replyTo: await stillThere(kind === 'reply' ? id : answered),
    quote: await stillThere(kind === 'quote' ? id : quoted),
    ...(kind === 'scheduled' && { start: { replaces: id } }),
  });
}

/** Undefined when the post is gone: its words can be sent by themselves. */
async function stillThere(id: string): Promise<Status | undefined> {
  try {
    return id ? await getStatus(id) : undefined;
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
    toasts.say('The post that this belongs to is gone. What you send now stands by itself.', true);
    return undefined;
  }
}

export async function reword(scheduled: ScheduledStatus): Promise<void> {
  const { params } = scheduled;
  const [answered, quoted] = [params.in_reply_to_id ?? '', params.quoted_status_id ?? ''];
  composing.open({
    title: KINDS.scheduled,
    place: `scheduled:${scheduled.id}:${answered}:${quoted}`,
    replyTo: answered ? { id: answered, visibility: params.visibility } : undefined,
    quote: await stillThere(quoted),
    start: {
      text: params.text,
      warning: params.spoiler_text || null,
      visibility: params.visibility,
      language: params.language ?? '',
      sensitive: Boolean(params.sensitive),
      media: scheduled.media_attachments,
      scheduledAt: localTime(new Date(scheduled.scheduled_at)),
      replaces: scheduled.id,
      quotePolicy: params.quote_approval_policy,
      poll: params.poll && {
        options: params.poll.options,
        expiresInS: Number(params.poll.expires_in),
        multiple: params.poll.multiple,
      },
    },
  });
}

/** As an <input type="datetime-local"> has it. */
export function localTime(at: Date): string {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
