import { describe, expect, it } from 'vitest';
import { SPEEDS, actionOf, isForElement, nextSpeed } from './keys';

const press = (key: string, held: { shiftKey?: boolean; ctrlKey?: boolean } = {}) =>
  actionOf({ key, shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, ...held });

describe('a player’s keys', () => {
  it('do what people expect', () => {
    expect(press(' ')).toEqual({ do: 'toggle' });
    expect(press('k')).toEqual({ do: 'toggle' });
    expect(press('ArrowLeft')).toEqual({ do: 'step', ms: -10_000 });
    expect(press('L', { shiftKey: true })).toEqual({ do: 'step', ms: 60_000 });
    expect(press('>', { shiftKey: true })).toEqual({ do: 'speed', by: 1 });
    expect(press('?', { shiftKey: true })).toEqual({ do: 'help' });
  });

  it('leave the browser its own', () => {
    expect(press('k', { ctrlKey: true })).toBeNull();
    expect(press('a')).toBeNull();
    expect(press('Enter')).toBeNull();
  });

  it('leave to an element what it understands', () => {
    document.body.innerHTML = `<textarea></textarea><input type="range"><input type="checkbox"><p></p>`;
    const isFor = (selector: string, key: string) => isForElement(document.querySelector(selector), key);
    expect(isFor('textarea', 'k')).toBe(true);
    expect(isFor('[type=range]', 'ArrowLeft')).toBe(true);
    expect(isFor('[type=checkbox]', ' ')).toBe(true);
    expect(isFor('[type=checkbox]', 'k')).toBe(false);
    expect(isFor('p', ' ')).toBe(false);
    expect(isForElement(null, 'k')).toBe(false);
  });

  it('stay within the speeds there are', () => {
    expect(nextSpeed(1, 1)).toBe(1.25);
    expect(nextSpeed(1, -1)).toBe(0.75);
    expect(nextSpeed(3, 1)).toBe(3);
    expect(nextSpeed(0.5, -1)).toBe(0.5);
    expect(SPEEDS).toContain(nextSpeed(1.1, 1));
  });
});
