import { describe, expect, it } from 'vitest';
import { insecureOrigin, problemOf, type Trouble } from './mic-problem';

const AGENTS = {
  chromium: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36',
  firefox: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  safari: 'Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15',
  iphone: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) AppleWebKit/605.1.15 Mobile Safari/604.1',
  android: 'Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/156.0 Mobile Safari/537.36',
};
const ERRORS: [string, Trouble][] = [
  ['NotAllowedError', 'denied'],
  ['NotFoundError', 'missing'],
  ['NotReadableError', 'busy'],
  ['OverconstrainedError', 'gone'],
  ['TypeError', 'unknown'],
];

describe('a microphone that does not open', () => {
  it.each(ERRORS)('%s has a sentence and a way out of its own', (name, trouble) => {
    const problem = problemOf(new DOMException('', name), AGENTS.chromium);
    expect(problem.trouble).toBe(trouble);
    expect(problem.message).toMatch(/\.$/);
    expect(problem.advice).toMatch(/\.$/);
  });

  it('tells where to allow it in each browser', () => {
    const advices = Object.values(AGENTS).map(
      (agent) => problemOf(new DOMException('', 'NotAllowedError'), agent).advice,
    );
    expect(new Set(advices).size).toBe(advices.length);
    const bySystem = problemOf(
      new DOMException('Permission denied by system', 'NotAllowedError'),
      AGENTS.safari,
    );
    expect(bySystem.advice).toContain('privacy settings');
  });

  it('says what an insecure page lacks', () => {
    expect(insecureOrigin(AGENTS.firefox).message).toContain('https');
    expect(problemOf(undefined, '').trouble).toBe('unknown');
  });
});
