// The ways on stage, each with the question about the microphone first.
import type { SpaceFeed } from './feed.svelte';
import { micQuestion } from '../sound/mic-dialog.svelte';
import { closeStream } from '../sound/microphone';
import { stage } from '../sound/stage.svelte';
import { toasts } from '../toasts.svelte';
import type { Command } from '../types';

async function withMicrophone(feed: SpaceFeed, afterwards: string, command: Command | null): Promise<void> {
  const space = feed.space;
  if (!space) return;
  const stream = await micQuestion.ask({ title: space.title, recorded: space.recorded, afterwards });
  if (!stream) return;
  try {
    if (command) await feed.command(command);
    stage.enter(feed, stream);
  } catch (error) {
    closeStream(stream);
    toasts.fail(error);
  }
}

/** Waits in the queue with the microphone ready; being let up opens it. */
export function askToSpeak(feed: SpaceFeed): Promise<void> {
  const afterwards =
    'You will be in the queue. Nobody hears you until a host lets you up: then your microphone is open.';
  return withMicrophone(feed, afterwards, { do: 'ask', recording_consent: true });
}

/** Takes up an invitation, or the place that hosts have. */
export function goOnStage(feed: SpaceFeed): Promise<void> {
  const hasSeat = feed.space?.you.seat !== null;
  const command: Command | null = hasSeat ? null : { do: 'accept', recording_consent: true };
  return withMicrophone(feed, 'You go on stage at once, and are heard.', command);
}

export function startSpace(feed: SpaceFeed): Promise<void> {
  return withMicrophone(feed, 'The Space goes live at once, and you are heard.', { do: 'start' });
}

/** For who asked in another tab, or before reloading. */
export function prepareMicrophone(feed: SpaceFeed): Promise<void> {
  return withMicrophone(
    feed,
    'Nobody hears you until a host lets you up: then your microphone is open.',
    null,
  );
}
