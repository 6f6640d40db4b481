import { beforeEach, expect, it, vi } from 'vitest';
import { follow } from './live.svelte';
import { gone, newest } from './statuses.svelte';
import { streaming, type StreamEvent } from './streaming.svelte';
import type { Status } from './mastodon-types';
import { timelineOf } from './timeline.svelte';

const status = (id: string, rest: Partial<Status> = {}) => ({ id, content: 'hear', ...rest }) as Status;

let say: (event: string, payload: unknown) => void;

beforeEach(() => {
  gone.clear();
  vi.spyOn(streaming, 'follow').mockImplementation((_stream, heard: (event: StreamEvent) => void) => {
    say = (event, payload) =>
      heard({ event, payload: typeof payload === 'string' ? payload : JSON.stringify(payload) });
    return () => undefined;
  });
  follow(timelineOf('/api/v1/timelines/home'), { name: 'user' });
});

it('shows again what is said to be there after it was gone', () => {
  for (const id of ['1', '2', '3']) say('delete', id);
  expect([...gone]).toEqual(['1', '2', '3']);
  say('status.update', status('1', { content: 'now' }));
  say('update', status('4', { reblog: status('2') }));
  expect([...gone]).toEqual(['3']);
  expect(newest(status('1')).content).toBe('now');
});
