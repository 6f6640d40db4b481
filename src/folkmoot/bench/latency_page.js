// Runs in the browsers of `bench latency`: speaks, listens, and keeps what is heard with the wall clock beside it.
// The players do what the web client's do: the same target, the same hurry.

const TARGET_LAG_S = 0.35;
const HURRY_ABOVE_S = 0.6;
const JUMP_ABOVE_S = 3;
const CHUNK_FRAMES = 2560;

const WORKLET = `registerProcessor('recorder', class extends AudioWorkletProcessor {
  constructor() { super(); this.chunk = new Float32Array(${CHUNK_FRAMES}); this.filled = 0; }
  process([[samples]]) {
    if (this.filled === 0) { this.frame = currentFrame; this.unixMs = Date.now(); }
    if (samples) this.chunk.set(samples, this.filled); else this.chunk.fill(0, this.filled, this.filled + 128);
    this.filled += 128;
    if (this.filled === ${CHUNK_FRAMES}) {
      this.port.postMessage({ frame: this.frame, unixMs: this.unixMs, samples: this.chunk.slice() });
      this.filled = 0;
    }
    return true;
  }
});`;

const bench = { recordings: {} };

async function context() {
  if (bench.context) return bench.context;
  bench.context = new AudioContext({ sampleRate: 48000, latencyHint: 'interactive' });
  await bench.context.resume();
  await bench.context.audioWorklet.addModule(URL.createObjectURL(new Blob([WORKLET], { type: 'text/javascript' })));
  return bench.context;
}

async function record(name, makeSource) {
  const audio = await context();
  const recorder = new AudioWorkletNode(audio, 'recorder', { channelCount: 1, channelCountMode: 'explicit' });
  bench.recordings[name] = [];
  recorder.port.onmessage = (event) => bench.recordings[name].push(event.data);
  makeSource(audio).connect(recorder);
  // Unconnected nodes aren't run; the recorder's output is silence.
  recorder.connect(audio.destination);
}

bench.clear = () => Object.values(bench.recordings).forEach((chunks) => chunks.splice(0));

// The samples as base64 of int16, and for each chunk its first frame and when that was rendered.
bench.take = (name) => {
  const chunks = bench.recordings[name];
  const samples = new Int16Array(chunks.length * CHUNK_FRAMES);
  chunks.forEach((chunk, i) => {
    for (let j = 0; j < CHUNK_FRAMES; j++) {
      samples[i * CHUNK_FRAMES + j] = Math.max(-1, Math.min(1, chunk.samples[j])) * 32767;
    }
  });
  const bytes = new Uint8Array(samples.buffer);
  let text = '';
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return {
    pcm: btoa(text),
    stamps: chunks.map((chunk) => [chunk.frame, chunk.unixMs]),
    output_latency_s: bench.context.outputLatency || 0,
  };
};

bench.speak = async (whip, token) => {
  // Without the browser's clean-up of speech: it takes the bursts for noise.
  const clean = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 };
  const microphone = await navigator.mediaDevices.getUserMedia({ audio: clean });
  await record('said', (audio) => audio.createMediaStreamSource(microphone));
  const peer = (bench.peer = new RTCPeerConnection());
  microphone.getTracks().forEach((track) => peer.addTrack(track, microphone));
  const heard = new Promise((resolve) => {
    peer.ontrack = (event) => resolve(new MediaStream([event.track]));
  });
  await peer.setLocalDescription(await peer.createOffer());
  if (peer.iceGatheringState !== 'complete') {
    await new Promise((resolve) => {
      setTimeout(resolve, 1000);
      peer.onicegatheringstatechange = () => peer.iceGatheringState === 'complete' && resolve();
    });
  }
  const headers = { 'Content-Type': 'application/sdp', Authorization: `Bearer ${token}` };
  const response = await fetch(whip, { method: 'POST', headers, body: peer.localDescription.sdp });
  if (response.status !== 201) throw new Error(`whip: ${response.status} ${await response.text()}`);
  await peer.setRemoteDescription({ type: 'answer', sdp: await response.text() });
  const stream = await heard;
  // Chromium delivers a remote stream to Web Audio only while an element plays it.
  const element = new Audio();
  element.muted = true;
  element.srcObject = stream;
  await element.play();
  await record('heard', (audio) => audio.createMediaStreamSource(stream));
};

bench.connected = () => bench.peer.connectionState === 'connected';

function mediaElement() {
  const element = (bench.element = new Audio());
  document.body.append(element);
  return element;
}

// Whether sound has been playing for a while: only then it is worth recording.
bench.playing = (seconds) => {
  const { played } = bench.element;
  return played.length > 0 && played.end(played.length - 1) - played.start(0) >= seconds;
};

bench.listenMse = async (address) => {
  const element = mediaElement();
  await record('heard', (audio) => audio.createMediaElementSource(element));
  const media = new MediaSource();
  element.src = URL.createObjectURL(media);
  await new Promise((resolve) => media.addEventListener('sourceopen', resolve, { once: true }));
  const buffer = media.addSourceBuffer('audio/mp4; codecs="opus"');
  const response = await fetch(address);
  if (!response.ok) throw new Error(`listen: ${response.status}`);
  void append(element, buffer, response.body.getReader());
  setInterval(() => stayAtEdge(element, buffer), 100);
};

async function append(element, buffer, reader) {
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    buffer.appendBuffer(value);
    if (buffer.updating) await new Promise((resolve) => buffer.addEventListener('updateend', resolve, { once: true }));
    if (element.paused) stayAtEdge(element, buffer);
  }
}

function stayAtEdge(element, buffer) {
  if (buffer.buffered.length === 0) return;
  const end = buffer.buffered.end(buffer.buffered.length - 1);
  if (element.paused) {
    if (end - buffer.buffered.start(0) < TARGET_LAG_S / 2) return;
    element.currentTime = Math.max(buffer.buffered.start(0), end - TARGET_LAG_S);
    void element.play();
    return;
  }
  const lag = end - element.currentTime;
  if (lag > JUMP_ABOVE_S) element.currentTime = end - TARGET_LAG_S;
  const hurries = element.playbackRate > 1;
  element.playbackRate = lag > (hurries ? TARGET_LAG_S : HURRY_ABOVE_S) ? 1.05 : 1;
}

bench.listenHls = async (address) => {
  const element = mediaElement();
  await record('heard', (audio) => audio.createMediaElementSource(element));
  if (window.Hls) {
    const hls = (bench.hls = new Hls({ maxLiveSyncPlaybackRate: 1.05, liveSyncOnStallIncrease: 0.25 }));
    hls.on(Hls.Events.MANIFEST_PARSED, () => void element.play());
    hls.loadSource(address);
    hls.attachMedia(element);
  } else {
    element.src = address;
    await element.play();
  }
};

bench.playsHls = () => new Audio().canPlayType('application/vnd.apple.mpegurl') !== '';
window.bench = bench;
