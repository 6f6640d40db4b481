// Why a microphone did not open, and what to do about it in this very browser. Pure.

export type Trouble = 'insecure' | 'denied' | 'missing' | 'busy' | 'gone' | 'unknown';

export class MicProblem extends Error {
  constructor(
    readonly trouble: Trouble,
    /** What to do; empty where nobody knows. */
    readonly advice: string,
  ) {
    super(SENTENCES[trouble]);
  }
}

const SENTENCES: Record<Trouble, string> = {
  insecure: 'Browsers open a microphone on secure pages only, and this one is not: its address has no https.',
  denied: 'The browser does not let this site use a microphone.',
  missing: 'No microphone was found.',
  busy: 'The microphone is there, but another program is using it.',
  gone: 'The microphone that you chose is not connected any more.',
  unknown: 'The microphone could not be opened.',
};

/** From the error of `getUserMedia` (W3C Media Capture and Streams, 10.2). */
export function problemOf(error: unknown, agent: string): MicProblem {
  const { name = '', message = '' } = (error ?? {}) as Partial<DOMException>;
  const trouble = troubleOf(name);
  // Chromium says so when the system, and not the person, refuses.
  const bySystem = trouble === 'denied' && /system/i.test(message);
  return new MicProblem(trouble, bySystem ? SYSTEM : adviceFor(trouble, agent));
}

export function insecureOrigin(agent: string): MicProblem {
  return new MicProblem('insecure', adviceFor('insecure', agent));
}

function troubleOf(name: string): Trouble {
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied';
  if (name === 'NotFoundError') return 'missing';
  if (name === 'OverconstrainedError') return 'gone';
  if (name === 'NotReadableError' || name === 'AbortError') return 'busy';
  return 'unknown';
}

const SYSTEM = 'Allow microphones for the browser in the privacy settings of your computer, then try again.';

const ALLOW: Record<Browser, string> = {
  ios: 'Open the Settings app, go to Apps, your browser, Microphone, and choose Allow. Then load this page again.',
  android: 'Tap the icon left of the address, then Permissions, and allow the microphone. Then try again.',
  firefox: 'Click the crossed-out microphone left of the address, remove the block, then try again.',
  safari: 'In the menu Safari, open “Settings for this website” and allow the microphone. Then try again.',
  chromium: 'Click the icon left of the address, switch the microphone on, then try again.',
  other: 'Allow the microphone for this site in the browser’s settings, then try again.',
};

function adviceFor(trouble: Trouble, agent: string): string {
  if (trouble === 'denied') return ALLOW[browserOf(agent)];
  if (trouble === 'insecure')
    return 'Open the page with https:// instead. If that fails, tell who runs the server.';
  if (trouble === 'missing')
    return 'Connect one, or switch its Bluetooth on. It is used as soon as it is there.';
  if (trouble === 'busy') return 'End calls and recordings in other programs and tabs, then try again.';
  if (trouble === 'gone') return 'Connect it again, or choose another one.';
  return 'Try again. If it fails again, start the browser anew.';
}

type Browser = 'ios' | 'android' | 'firefox' | 'safari' | 'chromium' | 'other';

function browserOf(agent: string): Browser {
  if (/iPhone|iPad|iPod/.test(agent)) return 'ios';
  if (/Android/.test(agent)) return 'android';
  if (/Firefox\//.test(agent)) return 'firefox';
  if (/Chrom(e|ium)\//.test(agent)) return 'chromium';
  return /Safari\//.test(agent) ? 'safari' : 'other';
}
