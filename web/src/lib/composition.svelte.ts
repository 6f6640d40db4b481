// One post in the making: what stands in the form, where it is kept, and what is sent.
import { changeStatus, newKey, postStatus, type NewPoll, type NewStatus } from './api/square';
import { draftAt, keepDraft, type Draft, type PollDraft } from './drafts';
import { countCharacters, visibleCharacters } from './characters';
import type { Instance, MediaAttachment, ScheduledStatus, Status, Visibility } from './mastodon-types';

/** What the post is about, besides its words. */
export interface Purpose {
  replyTo?: Pick<Status, 'id' | 'visibility'>;
  quote?: Status;
  /** The post that is changed. */
  editing?: Status;
  /** What stands in the form at first. */
  start?: Partial<Draft>;
  /** Another name for where the draft is kept. */
  place?: string;
}

export const EMPTY_POLL: PollDraft = { options: ['', ''], expiresInS: 86_400, multiple: false };

export function placeOf({ replyTo, quote, editing, place }: Purpose): string {
  if (place) return place;
  if (editing) return `edit:${editing.id}`;
  if (quote) return `quote:${quote.id}`;
  return replyTo ? `reply:${replyTo.id}` : 'new';
}

export class Composition {
  text = $state('');
  warning = $state<string | null>(null);
  visibility = $state<Visibility>('public');
  language = $state('');
  sensitive = $state(false);
  media = $state.raw<MediaAttachment[]>([]);
  poll = $state<PollDraft | null>(null);
  scheduledAt = $state('');
  quotePolicy = $state<Draft['quotePolicy']>('public');
  #key = newKey();
  #asItWas: string;
  readonly place: string;

  constructor(
    readonly purpose: Purpose,
    readonly accountId: string,
    private otherwise: Draft,
  ) {
    this.place = placeOf(purpose);
    this.take(otherwise);
    this.#asItWas = JSON.stringify(this.draft);
    this.take({ ...otherwise, ...draftAt(accountId, this.place) });
  }

  take(draft: Draft): void {
    this.text = draft.text;
    this.warning = draft.warning;
    this.visibility = draft.visibility;
    this.language = draft.language;
    this.sensitive = draft.sensitive;
    this.media = draft.media;
    this.poll = draft.poll;
    this.scheduledAt = draft.scheduledAt;
    this.quotePolicy = draft.quotePolicy;
  }

  get draft(): Draft {
    return {
      text: this.text,
      warning: this.warning,
      visibility: this.visibility,
      language: this.language,
      sensitive: this.sensitive,
      media: this.media,
      poll: this.poll && { ...this.poll, options: [...this.poll.options] },
      scheduledAt: this.scheduledAt,
      quotePolicy: this.quotePolicy,
    };
  }

  /** What stands there now is where one begins. */
  settle(): void {
    this.#asItWas = JSON.stringify(this.draft);
    this.otherwise = this.draft;
  }

  /** Whether there is something that would be lost. */
  get isBegun(): boolean {
    return JSON.stringify(this.draft) !== this.#asItWas;
  }

  get isEmpty(): boolean {
    return !this.text.trim() && this.media.length === 0 && !this.poll;
  }

  keep(nowMs: number): void {
    keepDraft(this.accountId, this.place, this.isBegun ? this.draft : null, nowMs);
  }

  characters(urlCharacters: number): number {
    return countCharacters(this.text, urlCharacters) + visibleCharacters(this.warning ?? '');
  }

  async send(): Promise<Status | ScheduledStatus> {
    const { editing } = this.purpose;
    const request = requestOf(this.draft, this.purpose);
    const answer = editing
      ? await changeStatus(editing.id, { ...request, media_attributes: this.media.map(attributesOf) })
      : await postStatus<Status | ScheduledStatus>(request, this.#key);
    this.#key = newKey();
    keepDraft(this.accountId, this.place, null, Date.now());
    this.take(this.otherwise);
    return answer;
  }
}

const attributesOf = ({ id, description, meta }: MediaAttachment) => ({
  id,
  description: description ?? '',
  ...(meta?.focus && { focus: `${meta.focus.x},${meta.focus.y}` }),
});

/** What the server is told. Of a post that is changed: without what can't be changed. */
export function requestOf(draft: Draft, { replyTo, quote, editing }: Purpose): NewStatus {
  const request: NewStatus = {
    status: draft.text,
    spoiler_text: draft.warning ?? '',
    sensitive: draft.media.length > 0 && (draft.sensitive || Boolean(draft.warning)),
    media_ids: draft.media.map((media) => media.id),
  };
  if (draft.language) request.language = draft.language;
  if (draft.poll) request.poll = pollOf(draft.poll);
  if (editing) return request;
  request.visibility = draft.visibility;
  request.in_reply_to_id = replyTo?.id ?? null;
  if (quote) request.quoted_status_id = quote.id;
  if (draft.quotePolicy !== 'public') request.quote_approval_policy = draft.quotePolicy;
  if (draft.scheduledAt) request.scheduled_at = new Date(draft.scheduledAt).toISOString();
  return request;
}

const pollOf = ({ options, expiresInS, multiple }: PollDraft): NewPoll => ({
  options: options.map((option) => option.trim()).filter(Boolean),
  expires_in: expiresInS,
  multiple,
});

/** Why it can't be sent yet, as a sentence; null when it can. */
export function obstacle(
  draft: Draft,
  characters: number,
  instance: Instance | null,
  nowMs: number,
): string | null {
  const most = instance?.configuration.statuses.max_characters ?? 500;
  if (characters > most) return `That is ${characters - most} characters too many.`;
  if (draft.poll) {
    const options = draft.poll.options.map((option) => option.trim()).filter(Boolean);
    if (options.length < 2) return 'A poll needs two answers to choose from.';
    if (new Set(options).size < options.length) return 'Two answers of the poll are the same.';
  }
  if (draft.scheduledAt && new Date(draft.scheduledAt).getTime() < nowMs + 5 * 60_000)
    return 'Choose a time that is at least five minutes away, or none to post now.';
  return null;
}
