// One connection to the stage: an SDP offer POSTed, the answer back, DELETE to leave (RFC 9725).
import { send } from '../api/client';
import { SPACES } from '../api/spaces';

const GATHERING_MAX_MS = 1_000;
/** A connection may recover by itself from a short disturbance. */
const DISCONNECTED_MAX_MS = 4_000;
/** A seat whose packets came this recently is speaking. */
export const HEARD_WITHIN_MS = 300;

export interface Whip {
  /** The seats that are heard at this moment. */
  heard(): number[];
  /** Closes the connection; the seat stays for a while, for another connection. */
  close(): void;
  /** Closes it and gives the seat back. */
  leave(): Promise<void>;
}

/** Connects a seat. `onLost` is called once, when the connection has failed. Throws ApiError with the reason. */
export async function connect(
  spaceId: string,
  stream: MediaStream,
  audio: HTMLAudioElement,
  onLost: () => void,
): Promise<Whip> {
  const peer = new RTCPeerConnection();
  for (const track of stream.getAudioTracks()) peer.addTrack(track, stream);
  peer.ontrack = (event) => {
    audio.srcObject = new MediaStream([event.track]);
    void audio.play().catch(() => undefined);
  };
  let location: string;
  try {
    location = await negotiate(peer, spaceId);
  } catch (error) {
    peer.close();
    throw error;
  }
  const stopWatching = watch(peer, onLost);
  const close = () => {
    stopWatching();
    peer.close();
    audio.srcObject = null;
  };
  return {
    heard: () => peer.getReceivers().flatMap(heardNow),
    close,
    leave: async () => {
      close();
      await send(location, { method: 'DELETE' });
    },
  };
}

async function negotiate(peer: RTCPeerConnection, spaceId: string): Promise<string> {
  await peer.setLocalDescription(await peer.createOffer());
  await gathered(peer);
  const response = await send(`${SPACES}/${spaceId}/whip`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/sdp' },
    body: peer.localDescription!.sdp,
  });
  await peer.setRemoteDescription({ type: 'answer', sdp: await response.text() });
  return response.headers.get('Location') ?? `${SPACES}/${spaceId}/whip`;
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

function watch(peer: RTCPeerConnection, onLost: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = () => {
    clearTimeout(timer);
    if (peer.connectionState === 'failed') onLost();
    else if (peer.connectionState === 'disconnected') timer = setTimeout(onLost, DISCONNECTED_MAX_MS);
  };
  peer.addEventListener('connectionstatechange', look);
  return () => {
    clearTimeout(timer);
    peer.removeEventListener('connectionstatechange', look);
  };
}

function heardNow(receiver: RTCRtpReceiver): number[] {
  return receiver
    .getContributingSources()
    .filter((source) => ageMs(source.timestamp) < HEARD_WITHIN_MS)
    .map((source) => source.source);
}

/** Browsers differ in whether the stamp counts from 1970 or from the page's start. */
function ageMs(timestamp: number): number {
  const sinceStart = performance.now();
  return timestamp > 1e11 ? performance.timeOrigin + sinceStart - timestamp : sinceStart - timestamp;
}
