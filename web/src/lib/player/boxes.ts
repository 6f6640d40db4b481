// Splits a byte stream of fragmented MP4 into its top-level boxes (ISO/IEC 14496-12) and reads the notes in its
// `emsg` boxes: ID3 tags (AOM "Carriage of ID3 in emsg") whose TXXX frame holds JSON. Pure: bytes in, boxes out.

/** What travels in the sound's own timeline: seat numbers, counts; never a name. */
export interface Note {
  speaking: number[];
  listeners: number;
  /** About so many more hear it by HLS. */
  listeners_estimated: number;
  reactions: Record<string, number>;
  roster: number;
  gap: boolean;
  /** Each tells one listener to look at once (lib/spaces/calls.ts). */
  calls: string[];
}

export interface TimedNote {
  atSeconds: number;
  note: Note;
}

const ID3_SCHEME = 'https://aomedia.org/emsg/ID3';
const BOX_BYTES_MAX = 16 * 1024 * 1024;

/** Collects bytes until a box is whole. */
export class BoxSplitter {
  #pending = new Uint8Array(0);

  /** The boxes that these bytes complete, each with its header. Throws on a size that no box has. */
  push(bytes: Uint8Array): Uint8Array[] {
    const data = this.#pending.length === 0 ? bytes : concatenate([this.#pending, bytes]);
    const boxes: Uint8Array[] = [];
    let at = 0;
    while (data.length - at >= 8) {
      const size = new DataView(data.buffer, data.byteOffset + at).getUint32(0);
      if (size < 8 || size > BOX_BYTES_MAX) throw new Error('The stream is not fragmented MP4.');
      if (data.length - at < size) break;
      boxes.push(data.subarray(at, at + size));
      at += size;
    }
    this.#pending = data.slice(at);
    return boxes;
  }
}

export function boxType(box: Uint8Array): string {
  return String.fromCharCode(...box.subarray(4, 8));
}

export function concatenate(pieces: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((total, piece) => total + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** The note in an `emsg` box (version 1), or null for a box of another kind. */
export function readNote(box: Uint8Array): TimedNote | null {
  if (boxType(box) !== 'emsg' || box.length < 32 || box[8] !== 1) return null;
  const view = new DataView(box.buffer, box.byteOffset, box.length);
  const timescale = view.getUint32(12);
  const time = Number(view.getBigUint64(16));
  const schemeEnd = box.indexOf(0, 32);
  const valueEnd = box.indexOf(0, schemeEnd + 1);
  const scheme = new TextDecoder().decode(box.subarray(32, schemeEnd));
  if (scheme !== ID3_SCHEME || valueEnd < 0 || timescale === 0) return null;
  const note = readId3(box.subarray(valueEnd + 1));
  return note && { atSeconds: time / timescale, note };
}

/** The note in an ID3 tag, or null. */
export function readId3(tag: Uint8Array): Note | null {
  const json = readId3Text(tag);
  return json === null ? null : parseNote(json);
}

/** The note in JSON, or null for what is none. */
export function parseNote(json: string): Note | null {
  try {
    const defaults: Note = {
      speaking: [],
      listeners: 0,
      listeners_estimated: 0,
      reactions: {},
      roster: 0,
      gap: false,
      calls: [],
    };
    return { ...defaults, ...(JSON.parse(json) as Partial<Note>) };
  } catch {
    // A note that can't be read must not stop the sound around it.
    return null;
  }
}

/** The value of the first TXXX frame of an ID3v2.4 tag in UTF-8. */
function readId3Text(tag: Uint8Array): string | null {
  const isTag = String.fromCharCode(...tag.subarray(0, 3)) === 'ID3';
  if (!isTag || tag.length < 21 || String.fromCharCode(...tag.subarray(10, 14)) !== 'TXXX') return null;
  const size = syncSafe(tag.subarray(14, 18));
  const frame = tag.subarray(20, 20 + size);
  const descriptionEnd = frame.indexOf(0, 1);
  return new TextDecoder().decode(frame.subarray(descriptionEnd + 1)).replace(/\0+$/, '');
}

function syncSafe(bytes: Uint8Array): number {
  return bytes.reduce((value, byte) => (value << 7) | (byte & 0x7f), 0);
}
