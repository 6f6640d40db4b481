import { afterEach, describe, expect, it, vi } from 'vitest';
import { asSentence } from '../words';
import { get, getPage, sendJson } from './client';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const cut = () => new Response(new ReadableStream({ start: (stream) => stream.error(new TypeError('cut')) }));
const hotels = () => new Response('<html>Welcome! Accept our terms.</html>');

describe('an answer that is none', () => {
  it.each([
    ['was cut', cut],
    ['came from a hotel', hotels],
  ])('and %s is no connection', async (_, answer) => {
    vi.stubGlobal('fetch', () => Promise.resolve(answer()));
    for (const asked of [get('/a'), getPage('/a'), sendJson('POST', '/a', {})])
      await expect(asked).rejects.toMatchObject({ status: 0, code: 'offline' });
  });

  it('may be empty', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(new Response('')));
    expect(await sendJson('DELETE', '/a')).toBeUndefined();
  });

  it('of the browser itself is said in words for people', () => {
    vi.spyOn(console, 'error').mockReturnValue();
    for (const error of [new TypeError('x is undefined'), new DOMException('Not focused'), null])
      expect(asSentence(error)).toBe('Something went wrong. Try again.');
    expect(asSentence(new Error('That is too long.'))).toBe('That is too long.');
  });
});
