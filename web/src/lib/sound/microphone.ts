// The microphone: opened after a question, measured here, heard by nobody until it is on stage.
import type { Measure } from './level';
import { insecureOrigin, problemOf } from './mic-problem';

const LOOK_EVERY_MS = 100;

/** What the browser does to the sound before anybody else has it. */
export interface Processing {
  echo: boolean;
  noise: boolean;
  gain: boolean;
}

export const USUAL: Processing = { echo: true, noise: true, gain: true };

/** Opens a microphone, the browser's choice if none is named. Throws MicProblem. */
export async function openMicrophone(deviceId: string, processing: Processing): Promise<MediaStream> {
  if (!navigator.mediaDevices) throw insecureOrigin(navigator.userAgent);
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: {
        echoCancellation: processing.echo,
        noiseSuppression: processing.noise,
        autoGainControl: processing.gain,
        ...(deviceId ? { deviceId: { exact: deviceId } } : {}),
      },
    });
  } catch (error) {
    throw problemOf(error, navigator.userAgent);
  }
}

export function closeStream(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** Measures ten times a second until the returned function is called. */
export function measure(stream: MediaStream, onMeasure: (measure: Measure) => void): () => void {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  // The longest window that ten looks a second leave: no peak falls between two looks.
  analyser.fftSize = 8192;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    if (context.state === 'suspended') void context.resume();
    analyser.getFloatTimeDomainData(samples);
    let [power, peak] = [0, 0];
    for (const sample of samples) {
      power += sample * sample;
      peak = Math.max(peak, Math.abs(sample));
    }
    onMeasure({ rms: Math.sqrt(power / samples.length), peak });
  }, LOOK_EVERY_MS);
  return () => {
    clearInterval(timer);
    void context.close();
  };
}
