// Calls in the sound itself: "look at the Space at once" to one of the tens of thousands who hear it. Each is 4 random
// bytes, then the first 4 of their HMAC-SHA256 under a key that one account alone was given, all in hexadecimal.

const CALL = /^[0-9a-f]{16}$/;
const HALF_BYTES = 4;

/**
 * Whether one of these calls is for whoever has the key. Never where a page has no secure context: it can't compute
 * that, and has no microphone to come on stage with either.
 */
export async function isCalled(key: string, calls: readonly string[]): Promise<boolean> {
  // Types say that it is always there.
  const subtle = globalThis.crypto.subtle as SubtleCrypto | undefined;
  if (!subtle || calls.length === 0) return false;
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const imported = await subtle.importKey('raw', bytesOf(key), algorithm, false, ['sign']);
  for (const call of calls) {
    if (!CALL.test(call)) continue;
    const chance = bytesOf(call.slice(0, 2 * HALF_BYTES));
    const made = new Uint8Array(await subtle.sign('HMAC', imported, chance));
    if (bytesOf(call.slice(2 * HALF_BYTES)).every((byte, at) => byte === made[at])) return true;
  }
  return false;
}

function bytesOf(hexadecimal: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hexadecimal.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
