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
