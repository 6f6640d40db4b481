// How long a post is, as the server counts it (posts/text.py). Pure.

const LINK = /https?:\/\/[^\s<>"]+[^\s<>".,;:!?)'\]]/giu;
const MENTION = /(?<![=/\w@])@([a-z0-9_]+(?:[a-z0-9_.-]*[a-z0-9_])?)@[\w.-]+\w/giu;

/** A link is `urlCharacters`, of a remote mention the domain is free; marks and joiners count with what they belong to. */
export function countCharacters(text: string, urlCharacters: number): number {
  let links = 0;
  const rest = text
    .replace(LINK, () => (links++, ''))
    .replace(MENTION, (_whole, username: string) => `@${username}`);
  return links * urlCharacters + visibleCharacters(rest);
}

export function visibleCharacters(text: string): number {
  let count = 0;
  let joined = false;
  let flagOpen = false;
  for (const character of text) {
    const point = character.codePointAt(0)!;
    if (point >= 0x1f1e6 && point <= 0x1f1ff) {
      if (!flagOpen) count++;
      flagOpen = !flagOpen;
      joined = false;
      continue;
    }
    flagOpen = false;
    const extendsLast =
      /\p{M}/u.test(character) || (point >= 0x1f3fb && point <= 0x1f3ff) || point === 0x200d;
    if (!extendsLast && !joined) count++;
    joined = point === 0x200d;
  }
  return count;
}
