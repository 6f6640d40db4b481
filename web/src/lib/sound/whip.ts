// One connection to the stage: an SDP offer POSTed, the answer back, DELETE to leave (RFC 9725).
import { ApiError, send } from '../api/client';
import { SPACES, iceServers } from '../api/spaces';

const GATHERING_MAX_MS = 1_000;
/** A seat whose packets came this recently is speaking. */
export const HEARD_WITHIN_MS = 300;

export interface Whip {
  /** The seats that are heard at this moment. */
  heard(): number[];
  /** How many packets of sound have come. */
  received(): Promise<number>;
  /** Sends another track from now on, without a new connection. */
  replaceTrack(track: MediaStreamTrack): Promise<void>;
  /** Closes the connection; the seat stays for a while, for another connection. */
  close(): void;
  /** Closes it and gives the seat back. */
  leave(): Promise<void>;
  /** Proves the right to the seat once more, for the next offer; null where the server gave none. */
  readonly resumeToken: string | null;
}

export interface WhipOptions {
  spaceId: string;
  track: MediaStreamTrack;
  resumeToken: string | null;
  signal: AbortSignal;
  /** The mix of all others. */
  onSound: (sound: MediaStream) => void;
  onState: (state: 'up' | 'shaky' | 'down') => void;
}

/** Connects a seat. Throws ApiError with the reason. */
export async function connect(options: WhipOptions): Promise<Whip> {
  const peer = new RTCPeerConnection({ iceServers: await iceServers(options.spaceId, options.signal) });
  const sender = peer.addTrack(options.track);
  peer.ontrack = ({ track }) => options.onSound(new MediaStream([track]));
  watch(peer, options.onState);
  let seat: { location: string; resumeToken: string | null };
  try {
    seat = await negotiate(peer, options);
  } catch (error) {
    peer.close();
    throw error;
  }
  return {
    heard: () => peer.getReceivers().flatMap(heardNow),
    received: () => received(peer),
    replaceTrack: (track) => sender.replaceTrack(track),
    close: () => peer.close(),
    leave: async () => {
      peer.close();
      await send(seat.location, { method: 'DELETE' });
    },
    resumeToken: seat.resumeToken,
  };
}

async function negotiate(
  peer: RTCPeerConnection,
  options: WhipOptions,
): Promise<{ location: string; resumeToken: string | null }> {
  await peer.setLocalDescription(await peer.createOffer());
  await gathered(peer);
  const response = await offer(peer.localDescription!.sdp, options);
  await peer.setRemoteDescription({ type: 'answer', sdp: await response.text() });
  return {
    location: response.headers.get('Location') ?? `${SPACES}/${options.spaceId}/whip`,
    resumeToken: response.headers.get('Folkmoot-Resume-Token'),
  };
}

async function offer(sdp: string, options: WhipOptions): Promise<Response> {
  const ask = (headers: Record<string, string>) =>
    send(`${SPACES}/${options.spaceId}/whip`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/sdp', ...headers },
      body: sdp,
      signal: options.signal,
    });
  if (options.resumeToken === null) return ask({});
  try {
    return await ask({ Authorization: `Bearer ${options.resumeToken}` });
  } catch (error) {
    // Used up, or too old: this browser is signed in all the same.
    if (error instanceof ApiError && [401, 403].includes(error.status)) return ask({});
    throw error;
  }
}

function gathered(peer: RTCPeerConnection): Promise<void> {
  if (peer.iceGatheringState === 'complete') return Promise.resolve();
  return new Promise((resolve) => {
    setTimeout(resolve, GATHERING_MAX_MS);
    peer.addEventListener('icegatheringstatechange', () => {
      if (peer.iceGatheringState === 'complete') resolve();
    });
  });
}

const STATES = { connected: 'up', disconnected: 'shaky', failed: 'down' } as const;

/** A connection that we close ourselves says nothing. */
function watch(peer: RTCPeerConnection, onState: WhipOptions['onState']): void {
  peer.addEventListener('connectionstatechange', () => {
    const state = STATES[peer.connectionState as keyof typeof STATES];
    if (state) onState(state);
  });
}

function heardNow(receiver: RTCRtpReceiver): number[] {
  return receiver
    .getContributingSources()
    .filter((source) => ageMs(source.timestamp) < HEARD_WITHIN_MS)
    .map((source) => source.source);
}

async function received(peer: RTCPeerConnection): Promise<number> {
  let packets = 0;
  for (const stats of (await peer.getStats()).values())
    if (stats.type === 'inbound-rtp') packets += (stats as RTCInboundRtpStreamStats).packetsReceived ?? 0;
  return packets;
}

/** Browsers differ in whether the stamp counts from 1970 or from the page's start. */
function ageMs(timestamp: number): number {
  const sinceStart = performance.now();
  return timestamp > 1e11 ? performance.timeOrigin + sinceStart - timestamp : sinceStart - timestamp;
}
