// A picture before it is there: 4×3 waves of colour from a short text. After the format's description
// (https://github.com/woltapp/blurhash/blob/master/Algorithm.md). Pure.

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~';

const valueOf = (text: string): number =>
  [...text].reduce((value, digit) => value * 83 + DIGITS.indexOf(digit), 0);
const toLinear = (value: number): number =>
  value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
const toSrgb = (value: number): number => {
  const bound = Math.max(0, Math.min(1, value));
  return Math.round(255 * (bound <= 0.0031308 ? bound * 12.92 : 1.055 * bound ** (1 / 2.4) - 0.055));
};
const signedSquare = (value: number): number => Math.sign(value) * value ** 2;

type Colour = [red: number, green: number, blue: number];

/** Red, green, blue and 255 for each pixel, row by row; null for a text that is none. */
export function pixelsOf(hash: string, width: number, height: number): Uint8ClampedArray<ArrayBuffer> | null {
  const waves = wavesOf(hash);
  if (!waves) return null;
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const colour: Colour = [0, 0, 0];
      waves.colours.forEach((wave, index) => {
        const i = index % waves.across;
        const j = Math.floor(index / waves.across);
        const basis = Math.cos((Math.PI * x * i) / width) * Math.cos((Math.PI * y * j) / height);
        for (let channel = 0; channel < 3; channel++) colour[channel]! += wave[channel]! * basis;
      });
      pixels.set([...colour.map(toSrgb), 255], (y * width + x) * 4);
    }
  }
  return pixels;
}

function wavesOf(hash: string): { across: number; colours: Colour[] } | null {
  if (hash.length < 6 || [...hash].some((digit) => !DIGITS.includes(digit))) return null;
  const size = valueOf(hash[0]!);
  const [across, down] = [(size % 9) + 1, Math.floor(size / 9) + 1];
  if (hash.length !== 4 + 2 * across * down) return null;
  const largest = (valueOf(hash[1]!) + 1) / 166;
  const average = valueOf(hash.slice(2, 6));
  const colours: Colour[] = [[average >> 16, (average >> 8) & 255, average & 255].map(toLinear) as Colour];
  for (let index = 1; index < across * down; index++) {
    const value = valueOf(hash.slice(4 + index * 2, 6 + index * 2));
    const parts = [Math.floor(value / 361), Math.floor(value / 19) % 19, value % 19];
    colours.push(parts.map((part) => signedSquare((part - 9) / 9) * largest) as Colour);
  }
  return { across, colours };
}
