// Files on their way to the server, and what is said of them.
import { ApiError, get, sendJson } from './client';
import type { MediaAttachment } from '../mastodon-types';

const LOOK_EVERY_MS = 1_000;
const LOOKS_MAX = 300;

export interface Upload {
  done: Promise<MediaAttachment>;
  cancel: () => void;
}

/** Sends a file; `progressed` hears the share of it that is there, from 0 to 1. `fetch` can't tell. */
export function upload(file: File, progressed: (share: number) => void): Upload {
  const request = new XMLHttpRequest();
  const done = new Promise<MediaAttachment>((resolve, reject) => {
    request.upload.onprogress = (event) => event.lengthComputable && progressed(event.loaded / event.total);
    request.onerror = () =>
      reject(new ApiError('The file did not arrive. Check your connection and try again.', 0, 'offline'));
    request.onabort = () => reject(new DOMException('Taken back', 'AbortError'));
    request.onload = () => {
      const answer = request.response as (MediaAttachment & { error?: string }) | null;
      if (request.status < 300 && answer) resolve(answer);
      else reject(new ApiError(answer?.error ?? tooLarge(request.status), request.status, ''));
    };
    const form = new FormData();
    form.append('file', file);
    request.responseType = 'json';
    request.open('POST', '/api/v2/media');
    request.send(form);
  });
  return { done, cancel: () => request.abort() };
}

const tooLarge = (status: number): string =>
  status === 413 ? 'This file is too large for this server.' : 'The server did not take this file.';

/** Waits until the server has made of the file what it shows. */
export async function whenReady(media: MediaAttachment, isWanted: () => boolean): Promise<MediaAttachment> {
  let now = media;
  for (let looks = 0; now.url === null && looks < LOOKS_MAX && isWanted(); looks++) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    now = await get<MediaAttachment>(`/api/v1/media/${media.id}`);
  }
  return now;
}

export const describe = (
  id: string,
  changes: { description?: string; focus?: string },
): Promise<MediaAttachment> => sendJson('PUT', `/api/v1/media/${id}`, changes);
