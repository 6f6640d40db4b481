// What was begun and not sent: kept in this browser, for each account and each place apart.
import { remembered, store } from './remembered';
import type { MediaAttachment, QuotePolicy, Visibility } from './mastodon-types';

export interface PollDraft {
  options: string[];
  expiresInS: number;
  multiple: boolean;
}

/** What one post of a thread has for itself. */
export interface Words {
  text: string;
  warning: string | null;
  language: string;
  sensitive: boolean;
  media: MediaAttachment[];
  poll: PollDraft | null;
}

/** The post that is in the form, and what holds for all of its thread. */
export interface Draft extends Words {
  visibility: Visibility;
  before: Words[];
  after: Words[];
  /** The last post of the thread that is out: the next one answers it. */
  continues: string | null;
  /** Under which it is sent. Null until somebody has tried. */
  key: string | null;
  /** As an <input type="datetime-local"> has it, or empty: at once. */
  scheduledAt: string;
  /** The scheduled post in whose place it is sent. Null once that is taken back. */
  replaces: string | null;
  quotePolicy: QuotePolicy;
}

export const emptyWords = (): Words => ({
  text: '',
  warning: null,
  language: '',
  sensitive: false,
  media: [],
  poll: null,
});

export const emptyDraft = (): Draft => ({
  ...emptyWords(),
  visibility: 'public',
  before: [],
  after: [],
  continues: null,
  key: null,
  scheduledAt: '',
  replaces: null,
  quotePolicy: 'public',
});

interface Kept {
  draft: Draft;
  atMs: number;
}

/** Drafts that nobody came back to for so long are forgotten. */
const KEPT_MS = 60 * 24 * 3_600_000;
const DRAFTS_MAX = 30;

const nameOf = (accountId: string): string => `drafts.${accountId}`;

type Drafts = Record<string, Kept>;

/** By account and place, what storage did not take: another tab may keep others there meanwhile. Null: forgotten. */
const unstored = new Map<string, Record<string, Kept | null>>();
/** Another one when something is kept or forgotten beside the form. */
let version = $state.raw({});

function allOf(accountId: string): Drafts {
  const all = { ...remembered<Drafts>(nameOf(accountId), {}), ...unstored.get(accountId) };
  return Object.fromEntries(Object.entries(all).filter((one): one is [string, Kept] => one[1] !== null));
}

export function draftAt(accountId: string, place: string): Draft | null {
  return allOf(accountId)[place]?.draft ?? null;
}

/** Null forgets it. */
export function keepDraft(...kept: Parameters<typeof noteDraft>): void {
  noteDraft(...kept);
  version = {};
}

/** The same of what is being written: no list of drafts moves anything for each letter. */
export function noteDraft(accountId: string, place: string, draft: Draft | null, nowMs: number): void {
  unstored.set(accountId, { ...unstored.get(accountId), [place]: draft && { draft, atMs: nowMs } });
  if (store(nameOf(accountId), pruned(allOf(accountId), nowMs))) unstored.delete(accountId);
}

export function pruned(all: Drafts, nowMs: number): Drafts {
  const recent = Object.entries(all)
    .filter(([, kept]) => nowMs - kept.atMs < KEPT_MS)
    .sort(([, a], [, b]) => b.atMs - a.atMs);
  return Object.fromEntries(recent.slice(0, DRAFTS_MAX));
}

export interface KeptDraft extends Kept {
  place: string;
}

/** The newest first. An effect that reads them runs again when there are others. */
export function draftsOf(accountId: string): KeptDraft[] {
  void version;
  return Object.entries(allOf(accountId))
    .map(([place, kept]) => ({ place, ...kept }))
    .sort((a, b) => b.atMs - a.atMs);
}
