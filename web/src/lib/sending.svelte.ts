import { asSentence } from './words';

/** What a form or a button sends off: whether it is under way, and what went wrong with it. */
export class Sending {
  busy = $state(false);
  problem = $state<string | null>(null);

  /** What the work throws becomes the problem, as a sentence. */
  async run(work: () => Promise<unknown>): Promise<void> {
    this.busy = true;
    this.problem = null;
    try {
      await work();
    } catch (error) {
      this.problem = asSentence(error);
    } finally {
      this.busy = false;
    }
  }

  /** What a form does when it is sent. */
  readonly submit = (work: () => Promise<unknown>) => (event: SubmitEvent) => {
    event.preventDefault();
    if (!this.busy) void this.run(work);
  };
}
