// The question that comes before every microphone. Whoever needs one awaits the answer; the dialog shows it.

export interface Question {
  title: string;
  recorded: boolean;
  /** What happens after the yes: "You will be in the queue…". */
  afterwards: string;
}

class MicQuestion {
  now = $state.raw<Question | null>(null);
  #answer: (stream: MediaStream | null) => void = () => undefined;

  /** The open microphone after a yes, null after a no. */
  ask(question: Question): Promise<MediaStream | null> {
    this.#answer(null);
    this.now = question;
    return new Promise((resolve) => (this.#answer = resolve));
  }

  answer(stream: MediaStream | null): void {
    this.now = null;
    this.#answer(stream);
    this.#answer = () => undefined;
  }
}

export const micQuestion = new MicQuestion();
