import { describe, expect, it } from 'vitest';
import { BoxSplitter, boxType, concatenate, readNote } from './boxes';

const text = (value: string) => new TextEncoder().encode(value);
const u32 = (value: number) => new Uint8Array([value >>> 24, value >>> 16, value >>> 8, value]);
const box = (type: string, ...payload: Uint8Array[]) => {
  const body = concatenate(payload);
  return concatenate([u32(body.length + 8), text(type), body]);
};

/** An ID3v2.4 tag with one TXXX frame in UTF-8, as the tape writes it. */
function id3(json: string): Uint8Array {
  const value = concatenate([new Uint8Array([3]), text('folkmoot'), new Uint8Array([0]), text(json)]);
  const size = (n: number) => new Uint8Array([(n >> 21) & 127, (n >> 14) & 127, (n >> 7) & 127, n & 127]);
  const frame = concatenate([text('TXXX'), size(value.length), new Uint8Array(2), value]);
  return concatenate([text('ID3'), new Uint8Array([4, 0, 0]), size(frame.length), frame]);
}

function emsg(
  json: string,
  time = 96_000n,
  scheme = 'https://aomedia.org/emsg/ID3',
  version = 1,
): Uint8Array {
  const start = new Uint8Array(8);
  new DataView(start.buffer).setBigUint64(0, time);
  return box(
    'emsg',
    new Uint8Array([version, 0, 0, 0]),
    u32(48_000),
    start,
    u32(0),
    u32(1),
    text(`${scheme}\0`),
    text('\0'),
    id3(json),
  );
}

describe('BoxSplitter', () => {
  const stream = concatenate([box('moof', text('abc')), box('mdat', text('defgh')), box('free')]);

  it.each([1, 3, 7, 8, 9, stream.length])(
    'gives whole boxes, whatever the size of the pieces (%i)',
    (size) => {
      const splitter = new BoxSplitter();
      const boxes: Uint8Array[] = [];
      for (let at = 0; at < stream.length; at += size)
        boxes.push(...splitter.push(stream.slice(at, at + size)));
      expect(boxes.map(boxType)).toEqual(['moof', 'mdat', 'free']);
      expect(concatenate(boxes)).toEqual(stream);
    },
  );

  it('keeps an unfinished box for later', () => {
    const splitter = new BoxSplitter();
    expect(splitter.push(stream.slice(0, 10))).toEqual([]);
    expect(splitter.push(stream.slice(10)).map(boxType)).toEqual(['moof', 'mdat', 'free']);
  });

  it('refuses what no box can be', () => {
    expect(() => new BoxSplitter().push(text('<!doctype html>'))).toThrow('fragmented MP4');
    expect(() => new BoxSplitter().push(new Uint8Array(8))).toThrow('fragmented MP4');
  });
});

describe('readNote', () => {
  it('reads who speaks, with what was left out as it is by default', () => {
    expect(readNote(emsg('{"speaking":[1,4],"listeners":36000,"reactions":{"👏":7}}'))).toEqual({
      atSeconds: 2,
      note: {
        speaking: [1, 4],
        listeners: 36000,
        listeners_estimated: 0,
        reactions: { '👏': 7 },
        roster: 0,
        gap: false,
        calls: [],
      },
    });
  });

  it('reads notes longer than one byte of a sync-safe size', () => {
    const speaking = Array.from({ length: 200 }, (_, seat) => seat + 1);
    expect(readNote(emsg(JSON.stringify({ speaking })))?.note.speaking).toEqual(speaking);
  });

  it('leaves other boxes, other schemes and broken JSON alone', () => {
    expect(readNote(box('moof', new Uint8Array(40)))).toBeNull();
    expect(readNote(emsg('{}', 0n, 'urn:mpeg:dash:event:2012'))).toBeNull();
    expect(readNote(emsg('{}', 0n, undefined, 0))).toBeNull();
    expect(readNote(emsg('{"speaking":'))).toBeNull();
    expect(readNote(emsg('{}').slice(0, 20))).toBeNull();
  });
});
