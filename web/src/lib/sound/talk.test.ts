import { describe, expect, it } from 'vitest';
import { Talk, isField } from './talk';

function pushToTalk(): Talk {
  const talk = new Talk();
  talk.on = true;
  return talk;
}

describe('push-to-talk', () => {
  it('lets everything through when it is off', () => {
    expect(new Talk().isOpen(0)).toBe(true);
  });

  it('opens with the press, and closes a moment after the release', () => {
    const talk = pushToTalk();
    expect(talk.isOpen(1_000)).toBe(false);
    talk.press('key');
    expect(talk.isOpen(1_000)).toBe(true);
    talk.release('key', 3_000);
    expect(talk.isOpen(3_100)).toBe(true);
    expect(talk.closesMs(3_100)).toBe(3_250);
    expect(talk.isOpen(3_250)).toBe(false);
    expect(talk.closesMs(3_250)).toBeNull();
  });

  it('stays open while the other finger still holds', () => {
    const talk = pushToTalk();
    talk.press('key');
    talk.press('key');
    talk.press('pointer');
    talk.release('key', 1_000);
    expect(talk.isOpen(9_000)).toBe(true);
    talk.release('pointer', 9_000);
    expect(talk.isOpen(9_300)).toBe(false);
  });

  it('can be opened and closed by who can’t hold', () => {
    const talk = pushToTalk();
    talk.toggle(0);
    expect(talk.isOpen(60_000)).toBe(true);
    talk.toggle(60_000);
    expect(talk.isOpen(60_300)).toBe(false);
  });

  it('closes at once when the window loses the keyboard, and when it is switched on', () => {
    const talk = pushToTalk();
    talk.press('key');
    talk.letGo();
    expect(talk.isOpen(0)).toBe(false);
    talk.release('key', 10);
    expect(talk.isOpen(10)).toBe(false);
    talk.on = false;
    expect(talk.isOpen(10)).toBe(true);
    talk.press('key');
    talk.on = true;
    expect(talk.isOpen(10)).toBe(false);
  });
});

describe('a key', () => {
  it('is for whoever writes; a button under the focus has Enter', () => {
    document.body.innerHTML = `<textarea></textarea><input type="range"><select></select><button></button><p></p>`;
    const isFor = (selector: string) => isField(document.querySelector(selector));
    for (const field of ['textarea', 'input', 'select']) expect(isFor(field)).toBe(true);
    for (const other of ['button', 'p']) expect(isFor(other)).toBe(false);
    expect(isField(null)).toBe(false);
  });
});
