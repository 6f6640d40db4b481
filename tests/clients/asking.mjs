// What the days of both clients need: the server's address, and a person who lets a program in.
import { createInterface } from "node:readline";

export const url = process.argv[2];
export const scopes = "read write follow push";
export const outOfBand = "urn:ietf:wg:oauth:2.0:oob";

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Asks for a person's consent on stdout, and reads the code that they got from stdin. */
export async function codeFor(username, address) {
  console.log(JSON.stringify({ username, address }));
  return (await answers.next()).value;
}

/** The first true value that `look` gives. */
export async function eventually(look, withinMs = 60_000) {
  const giveUp = Date.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > giveUp) throw new Error(`did not happen in time: ${look}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A red square, 8 by 8. */
export const picture = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAFUlEQVR42mM8ISLCgA0wMeAAg1MCAMFcAQBdJ+BJAAAAAElFTkSuQmCC",
  "base64",
);
