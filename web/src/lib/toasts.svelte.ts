// Short sentences that come and go: what was done, or why not, and how to undo it.
import { untrack } from 'svelte';
import { asSentence } from './words';

export interface Toast {
  id: number;
  sentence: string;
  isProblem: boolean;
  undo?: () => unknown;
}

const SHOWN_MS = 6_000;
const UNDO_MS = 10_000;

class Toasts {
  shown = $state<Toast[]>([]);
  /** The open dialogs, the topmost last: what lies under a modal dialog can be neither pressed nor read aloud. */
  dialogs = $state.raw<string[]>([]);
  #last = 0;

  /** Shows them in this dialog until the returned function is called. */
  within(dialog: string): () => void {
    // Called while a dialog is drawn, which is not to be drawn anew for it.
    this.dialogs = [...untrack(() => this.dialogs), dialog];
    return () => (this.dialogs = this.dialogs.filter((one) => one !== dialog));
  }

  say(sentence: string, isProblem = false, undo?: () => unknown): void {
    const toast = { id: ++this.#last, sentence, isProblem, undo };
    this.shown = [...this.shown.filter((known) => known.sentence !== sentence), toast];
    setTimeout(() => this.dismiss(toast.id), undo ? UNDO_MS : SHOWN_MS);
  }

  fail(error: unknown): void {
    this.say(asSentence(error), true);
  }

  dismiss(id: number): void {
    this.shown = this.shown.filter((toast) => toast.id !== id);
  }
}

export const toasts = new Toasts();

/** Runs what a button does; a failure is said. Returns whether it went well. */
export async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    toasts.fail(error);
    return false;
  }
}
