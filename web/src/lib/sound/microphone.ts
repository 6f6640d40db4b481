// The microphone: opened after a question, measured here, heard by nobody until it is on stage.

const SPEAKS_ABOVE = 0.02;
const LOOK_EVERY_MS = 100;

export async function openMicrophone(deviceId?: string): Promise<MediaStream> {
  if (!navigator.mediaDevices) throw new Error('Browsers open the microphone on secure pages (https) only.');
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: {
        echoCancellation: true,
        noiseSuppression: true,
        autoGainControl: true,
        ...(deviceId ? { deviceId: { exact: deviceId } } : {}),
      },
    });
  } catch (error) {
    throw new Error(reason((error as DOMException).name));
  }
}

function reason(name: string): string {
  if (name === 'NotAllowedError')
    return 'The browser was told not to open the microphone. Allow it for this site and try again.';
  if (name === 'NotFoundError' || name === 'OverconstrainedError')
    return 'No microphone was found. Connect one and try again.';
  if (name === 'NotReadableError')
    return 'Another program is using the microphone. Close it there and try again.';
  return 'The microphone could not be opened.';
}

export async function listMicrophones(): Promise<MediaDeviceInfo[]> {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices.filter((device) => device.kind === 'audioinput' && device.deviceId !== '');
}

export function closeStream(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

export interface Level {
  /** 0 to 1. */
  level: number;
  speaking: boolean;
}

/** Measures ten times a second until the returned function is called. */
export function measure(stream: MediaStream, onLevel: (level: Level) => void): () => void {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 2048;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    const loudness = Math.sqrt(power);
    onLevel({ level: Math.min(1, loudness * 5), speaking: loudness > SPEAKS_ABOVE });
  }, LOOK_EVERY_MS);
  return () => {
    clearInterval(timer);
    void context.close();
  };
}
