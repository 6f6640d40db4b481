// Short sentences that come and go: what was done, or why not.

export interface Toast {
  id: number;
  sentence: string;
  isProblem: boolean;
}

const SHOWN_MS = 6000;

class Toasts {
  shown = $state<Toast[]>([]);
  #last = 0;

  say(sentence: string, isProblem = false): void {
    const toast = { id: ++this.#last, sentence, isProblem };
    this.shown = [...this.shown.filter((known) => known.sentence !== sentence), toast];
    setTimeout(() => this.dismiss(toast.id), SHOWN_MS);
  }

  fail(error: unknown): void {
    this.say(error instanceof Error ? error.message : 'Something went wrong. Try again.', true);
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
