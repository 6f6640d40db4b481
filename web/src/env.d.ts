/// <reference types="vite/client" />

// The smaller build of hls.js comes without types of its own.
declare module 'hls.js/light' {
  export { default } from 'hls.js';
}

// As `emoji-data.ts` leaves them.
declare module 'unicode-emoji-json/data-by-group.json' {
  const groups: { name: string; emojis: [character: string, slug: string, toned?: 1][] }[];
  export default groups;
}
declare module 'emojilib/dist/emoji-en-US.json' {
  const words: Record<string, string>;
  export default words;
}

// Of Node, what `compressed.ts` needs while the client is built.
declare module 'node:fs/promises' {
  export function readdir(path: string): Promise<string[]>;
  export function readFile(path: string): Promise<Uint8Array>;
  export function writeFile(path: string, content: Uint8Array): Promise<void>;
}
declare module 'node:path' {
  export function join(...parts: string[]): string;
}
declare module 'node:zlib' {
  export const constants: { BROTLI_PARAM_SIZE_HINT: number };
  export function gzipSync(content: Uint8Array, options: { level: number }): Uint8Array;
  export function brotliCompressSync(
    content: Uint8Array,
    options: { params: Record<number, number> },
  ): Uint8Array;
}
