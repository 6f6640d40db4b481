// Our own API for Spaces.
import { get, send, sendJson } from './client';
import { joined, pieces } from '../spaces/speech';
import type {
  Clip,
  Command,
  CreateSpace,
  Join,
  Proof,
  PublishingToken,
  RedactReason,
  Returning,
  Seats,
  Space,
  Waveform,
} from '../types';

export const SPACES = '/api/folkmoot/v1/spaces';
const SPEECH_RANGE_MS_MAX = 600_000;
export const REACTIONS = ['👏', '❤️', '😂', '🔥', '👍', '😮', '😢', '🎉'];

export const createSpace = (draft: CreateSpace): Promise<Space> => sendJson('POST', SPACES, draft);
export const getSpace = (id: string): Promise<Space> => get(`${SPACES}/${id}`);
export const listSpaces = (query: string): Promise<Space[]> => get(`${SPACES}?${query}`);
export const command = (id: string, what: Command): Promise<Space> =>
  sendJson('POST', `${SPACES}/${id}/commands`, what);
/** For hosts: who is near the stage with a browser from which somebody was removed. */
export const getReturning = (id: string): Promise<Returning[]> => get(`${SPACES}/${id}/returning`);
export const ignoreReturning = (id: string, accountId: string): Promise<void> =>
  sendJson('DELETE', `${SPACES}/${id}/returning/${accountId}`);
export const react = (id: string, emoji: string): Promise<void> =>
  sendJson('POST', `${SPACES}/${id}/reactions`, { emoji });
/** Who sat where, and who spoke when from one time to another: asked for in pieces as long as the server gives. */
export async function getSeats(id: string, fromMs: number, toMs: number): Promise<Seats> {
  const [first, ...others] = pieces(fromMs, toMs, SPEECH_RANGE_MS_MAX);
  const ask = ([from, to]: [number, number]): Promise<Seats> =>
    get(`${SPACES}/${id}/seats?from_ms=${from}&to_ms=${to}`);
  let all = await ask(first ?? [fromMs, toMs]);
  for (const piece of others) {
    const next = await ask(piece);
    all = { ...next, speech: joined(all.speech, next.speech) };
  }
  return all;
}
export const getWaveform = (id: string, points?: number): Promise<Waveform> =>
  get(`${SPACES}/${id}/waveform${points ? `?points=${points}` : ''}`);
/** What proves the beginning of a replay; the key that signed it comes with it. */
export const getProof = (id: string): Promise<Proof> => get(`${SPACES}/${id}/proof/aac?from_ms=0&to_ms=1`);
/** Who helps through routers and firewalls, if anybody; without an answer, the direct way has to do. */
export async function iceServers(id: string, signal: AbortSignal): Promise<RTCIceServer[]> {
  const join = await send(`${SPACES}/${id}/join`, { method: 'POST', signal }).catch(() => null);
  if (!join) return [];
  const { ice_servers: servers } = (await join.json()) as Join;
  return servers.map(({ urls, username, credential }) => ({
    urls,
    username: username ?? undefined,
    credential: credential ?? undefined,
  }));
}
/** For a program such as OBS; the one before ends. */
export const makePublishingToken = (id: string): Promise<PublishingToken> =>
  sendJson('POST', `${SPACES}/${id}/whip/tokens`);
export const trimReplay = (id: string, view: { start_ms?: number; end_ms?: number }): Promise<Space> =>
  sendJson('PATCH', `${SPACES}/${id}/replay`, view);
export const redactSpace = (id: string, fromMs: number, toMs: number, reason: RedactReason): Promise<Space> =>
  sendJson('POST', `${SPACES}/${id}/redactions`, {
    from_ms: Math.floor(fromMs),
    to_ms: Math.ceil(toMs),
    reason,
  });
export const takeBackConsent = async (id: string): Promise<{ ranges: [number, number][] }> =>
  (await send(`${SPACES}/${id}/consent`, { method: 'DELETE' })).json() as Promise<{
    ranges: [number, number][];
  }>;
export const deleteReplay = (id: string): Promise<Space> => sendJson('DELETE', `${SPACES}/${id}/replay`);
export const createClip = (space: string, startMs: number, endMs: number): Promise<Clip> =>
  sendJson('POST', '/api/folkmoot/v1/clips', { space, start_ms: startMs, end_ms: endMs });
