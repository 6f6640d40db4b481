// A post in the making, or a thread of them: what stands in the form, where it is kept, and what is sent.
import {
  cancelScheduled,
  changeStatus,
  newKey,
  postStatus,
  type NewPoll,
  type NewStatus,
} from './api/square';
import {
  draftAt,
  emptyWords,
  keepDraft,
  noteDraft,
  type Draft,
  type PollDraft,
  type Words,
} from './drafts.svelte';
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
  replaces = $state<string | null>(null);
  quotePolicy = $state<Draft['quotePolicy']>('public');
  /** The other posts of the thread, above and below the one in the form. */
  before = $state.raw<Words[]>([]);
  after = $state.raw<Words[]>([]);
  continues = $state<string | null>(null);
  /** What is out, as long as the rest is not. */
  posted = $state.raw<Status[]>([]);
  #key: string | null = null;
  #asItWas: string;
  readonly place: string;
  /** The page was left while it was sent: nobody knows here whether it arrived. */
  readonly wasUnderWay: boolean;

  constructor(
    readonly purpose: Purpose,
    readonly accountId: string,
    private otherwise: Draft,
  ) {
    this.place = placeOf(purpose);
    this.take(otherwise);
    this.#asItWas = this.#asText();
    this.take({ ...otherwise, ...draftAt(accountId, this.place) });
    this.wasUnderWay = this.#key !== null;
  }

  take(draft: Draft): void {
    this.#takeWords(draft);
    this.visibility = draft.visibility;
    this.before = draft.before;
    this.after = draft.after;
    this.continues = draft.continues;
    this.scheduledAt = draft.scheduledAt;
    this.replaces = draft.replaces;
    this.quotePolicy = draft.quotePolicy;
    this.#key = draft.key;
  }

  #takeWords(words: Words): void {
    this.text = words.text;
    this.warning = words.warning;
    this.language = words.language;
    this.sensitive = words.sensitive;
    this.media = words.media;
    this.poll = words.poll;
  }

  get #words(): Words {
    return {
      text: this.text,
      warning: this.warning,
      language: this.language,
      sensitive: this.sensitive,
      media: this.media,
      poll: this.poll && { ...this.poll, options: [...this.poll.options] },
    };
  }

  get draft(): Draft {
    return {
      ...this.#words,
      visibility: this.visibility,
      before: this.before,
      after: this.after,
      continues: this.continues,
      key: this.#key,
      scheduledAt: this.scheduledAt,
      replaces: this.replaces,
      quotePolicy: this.quotePolicy,
    };
  }

  /** Who tried to send it, and under which key, is no change. */
  #asText(): string {
    return JSON.stringify({ ...this.draft, key: null });
  }

  /** The posts of the thread, in their order. */
  get parts(): Words[] {
    return [...this.before, this.#words, ...this.after];
  }

  get isThread(): boolean {
    return this.before.length + this.after.length > 0;
  }

  /** One more at the end of the thread, with the warning and the language of this one. */
  addAnother(): void {
    const { warning, language } = this;
    this.before = this.parts;
    this.after = [];
    this.#takeWords({ ...emptyWords(), warning, language });
  }

  /** Another post of the thread comes into the form. */
  turnTo(index: number): void {
    this.#show(this.parts, index);
  }

  drop(index: number): void {
    const at = this.before.length;
    const rest = this.parts.filter((_, other) => other !== index);
    this.#show(rest, Math.min(index < at ? at - 1 : at, rest.length - 1));
  }

  #show(parts: Words[], index: number): void {
    this.before = parts.slice(0, index);
    this.after = parts.slice(index + 1);
    this.#takeWords(parts[index] ?? emptyWords());
  }

  /** What stands there now is where one begins. */
  settle(): void {
    this.#asItWas = this.#asText();
    this.otherwise = this.draft;
  }

  /** Whether there is something that would be lost. */
  get isBegun(): boolean {
    return this.#asText() !== this.#asItWas;
  }

  get isEmpty(): boolean {
    return this.parts.every(isEmpty);
  }

  keep(nowMs: number): void {
    // Who empties the form is done with the thread.
    if (this.isEmpty && this.continues) [this.continues, this.posted] = [this.otherwise.continues, []];
    noteDraft(this.accountId, this.place, this.isBegun ? this.draft : null, nowMs);
  }

  /** Posts it, a thread one after the other. What is out leaves the form at once: who sends again goes on there. */
  async send(): Promise<(Status | ScheduledStatus)[]> {
    const { editing } = this.purpose;
    if (editing) {
      const request = requestOf(this.draft, this.purpose);
      return this.#done([
        await changeStatus(editing.id, { ...request, media_attributes: this.media.map(attributesOf) }),
      ]);
    }
    this.#key ??= newKey();
    if (this.replaces) await this.#takeBack(this.replaces);
    for (;;) {
      const [part, ...rest] = this.parts.filter((one) => !isEmpty(one));
      this.keep(Date.now());
      const request = requestOf({ ...this.draft, ...part }, this.#purposeNow());
      const answer = await postStatus<Status | ScheduledStatus>(request, `${this.#key}-${markOf(request)}`);
      if (rest.length === 0 || !('content' in answer)) return this.#done([...this.posted, answer]);
      this.posted = [...this.posted, answer];
      this.continues = answer.id;
      this.#show(rest, 0);
    }
  }

  /** The scheduled post goes first: it holds the files, and would come by itself. Its words are a draft by then. */
  async #takeBack(scheduledId: string): Promise<void> {
    // Something would be lost from now on, even if not a word was changed.
    this.#asItWas = '';
    this.keep(Date.now());
    const wasThere = await cancelScheduled(scheduledId);
    this.replaces = null;
    if (wasThere) return;
    this.keep(Date.now());
    throw new Error('It is not scheduled any more: it was posted, or cancelled. Look before you send this.');
  }

  /** What the next post of a thread answers is the one before it. */
  #purposeNow(): Purpose {
    const { continues, visibility } = this;
    return continues ? { replyTo: { id: continues, visibility } } : this.purpose;
  }

  #done<Answer>(answers: Answer[]): Answer[] {
    keepDraft(this.accountId, this.place, null, Date.now());
    this.posted = [];
    this.take(this.otherwise);
    this.settle();
    return answers;
  }
}

const isEmpty = ({ text, media, poll }: Words): boolean => !text.trim() && media.length === 0 && !poll;

export const charactersOf = (
  { text, warning }: Pick<Words, 'text' | 'warning'>,
  urlCharacters: number,
): number => countCharacters(text, urlCharacters) + visibleCharacters(warning ?? '');

/** The same for the same, so that what is sent a second time is the same post, and what was reworded is another
 * (FNV-1a, 32 bits). */
export function markOf(request: unknown): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(JSON.stringify(request)))
    hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16);
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
