// Languages that one may say a post is written in (ISO 639-1), by how people here call them.
const CODES =
  'ar bg bn bs ca cs cy da de el en eo es et eu fa fi fr ga gl he hi hr hu hy id is it ja ka kab ko ku lb lt lv mk ml ms nb nl nn oc pa pl pt ro ru sk sl sq sr sv sw ta te th tl tr uk ur vi yi zh';

const names = new Intl.DisplayNames('en', { type: 'language' });

export const nameOfLanguage = (code: string): string => names.of(code) ?? code;

export const LANGUAGES: string[] = CODES.split(' ').sort((a, b) =>
  nameOfLanguage(a).localeCompare(nameOfLanguage(b)),
);
