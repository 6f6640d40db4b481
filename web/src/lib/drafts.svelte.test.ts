import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Composition } from './composition.svelte';
import { draftsOf, emptyDraft, keepDraft, type Draft } from './drafts.svelte';

const draft = (changes: Partial<Draft>): Draft => ({ ...emptyDraft(), ...changes });
beforeEach(() => localStorage.clear());

describe('drafts', () => {
  it('that could not be stored go over those that other tabs kept meanwhile, and not in their place', () => {
    const stored = vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
      throw new DOMException('full', 'QuotaExceededError');
    });
    keepDraft('1', 'reply:7', draft({ text: 'mine' }), 5);
    keepDraft('1', 'reply:8', null, 6);
    stored.mockRestore();
    const others = {
      'reply:8': { draft: draft({ text: 'gone' }), atMs: 4 },
      new: { draft: draft({ text: 'theirs' }), atMs: 7 },
    };
    localStorage.setItem('folkmoot.drafts.1', JSON.stringify(others));
    expect(draftsOf('1').map(({ draft: { text } }) => text)).toEqual(['theirs', 'mine']);
    keepDraft('1', 'to:3', draft({ text: 'stored again' }), 8);
    const all = JSON.parse(localStorage.getItem('folkmoot.drafts.1')!) as object;
    expect(Object.keys(all)).toEqual(['to:3', 'new', 'reply:7']);
  });

  it('are listed anew when one is kept beside the form, and not for each letter', async () => {
    const seen: number[] = [];
    const end = $effect.root(() => {
      $effect(() => void seen.push(draftsOf('1').length));
    });
    await Promise.resolve();
    keepDraft('1', 'redraft:5', draft({ text: 'deleted' }), 1);
    await vi.waitFor(() => expect(seen).toEqual([0, 1]));
    const post = new Composition({}, '1', emptyDraft());
    post.text = 'a letter';
    post.keep(2);
    await Promise.resolve();
    expect(seen).toEqual([0, 1]);
    end();
  });
});
