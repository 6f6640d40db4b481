// The form that opens above a page: for a quote, a change, a post from anywhere.
import { getSource, getStatus } from './api/square';
import type { Purpose } from './composition.svelte';
import { emptyDraft, keepDraft, type Draft } from './drafts';
import type { ScheduledStatus, Status } from './mastodon-types';

export interface Asked extends Purpose {
  title: string;
  onposted?: (status: Status) => void;
  onscheduled?: () => void;
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
  const source = await getSource(status.id);
  const { poll } = status;
  composing.open({
    title: 'Edit your post',
    editing: status,
    start: {
      text: source.text,
      warning: source.spoiler_text || null,
      ...kept(status),
      poll: poll && {
        options: poll.options.map((option) => option.title),
        multiple: poll.multiple,
        expiresInS: secondsLeft(poll.expires_at),
      },
    },
  });
}

const kept = (status: Status): Partial<Draft> => ({
  visibility: status.visibility,
  language: status.language ?? '',
  sensitive: status.sensitive,
  media: status.media_attachments,
});

const LEAST_S = 300;
const secondsLeft = (at: string | null): number =>
  at ? Math.max(LEAST_S, Math.round((Date.parse(at) - Date.now()) / 1000)) : 86_400;

/** The words of a post that was just deleted, back in the form. They are a draft before anything else happens. */
export async function redraft(accountId: string, deleted: Status, text: string): Promise<void> {
  const place = `redraft:${deleted.id}`;
  const draft: Draft = {
    ...emptyDraft(),
    text,
    warning: deleted.spoiler_text || null,
    ...kept(deleted),
    poll: deleted.poll && {
      options: deleted.poll.options.map((option) => option.title),
      multiple: deleted.poll.multiple,
      expiresInS: 86_400,
    },
  };
  keepDraft(accountId, place, draft, Date.now());
  const answered = deleted.in_reply_to_id;
  composing.open({
    title: 'Write it anew',
    place,
    replyTo: answered ? await getStatus(answered).catch(() => undefined) : undefined,
    quote: deleted.quote?.quoted_status ?? undefined,
  });
}

export function reword(scheduled: ScheduledStatus, ondone: () => void): void {
  const { params } = scheduled;
  composing.open({
    title: 'Edit the scheduled post',
    place: `scheduled:${scheduled.id}`,
    replyTo: params.in_reply_to_id ? { id: params.in_reply_to_id, visibility: params.visibility } : undefined,
    onposted: ondone,
    onscheduled: ondone,
    start: {
      text: params.text,
      warning: params.spoiler_text || null,
      visibility: params.visibility,
      language: params.language ?? '',
      sensitive: Boolean(params.sensitive),
      media: scheduled.media_attachments,
      scheduledAt: localTime(new Date(scheduled.scheduled_at)),
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
