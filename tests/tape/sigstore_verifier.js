// Opens a checkpoint, and checks a leaf's proof of inclusion in it, with Sigstore's verifier of transparency logs:
// the formats are only right if others can read them. Takes a question in JSON from stdin, prints what it read.
const { createPublicKey } = require("node:crypto");
const { readFileSync } = require("node:fs");
const { dirname, join } = require("node:path");

// The package has one entry for whole bundles of theirs. The two checks that it makes of a log are files of it.
const log = join(dirname(require.resolve("@sigstore/verify", { paths: [process.cwd()] })), "tlog");
const { verifyCheckpoint } = require(join(log, "checkpoint.js"));
const { verifyMerkleInclusion } = require(join(log, "merkle.js"));

const asked = JSON.parse(readFileSync(0, "utf8"));
const [, name, hint, key] = asked.key.match(/(.*?)\+(.*?)\+(.*)/);
const raw = Buffer.from(key, "base64").subarray(1); // behind a byte that says Ed25519
const publicKey = createPublicKey({ format: "jwk", key: { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") } });
const entry = {
  canonicalizedBody: Buffer.from(asked.leaf, "base64"),
  inclusionProof: {
    checkpoint: { envelope: asked.note },
    hashes: asked.inclusion.map((hash) => Buffer.from(hash, "base64")),
    logIndex: String(asked.number),
  },
};
try {
  const checkpoint = verifyCheckpoint(entry, [{ baseURL: name, logID: Buffer.from(hint, "hex"), publicKey }]);
  verifyMerkleInclusion(entry, checkpoint);
  const { origin, logSize, logHash, rest } = checkpoint;
  console.log(JSON.stringify([origin, Number(logSize), logHash.toString("hex"), rest]));
} catch (error) {
  if (error.code !== "TLOG_INCLUSION_PROOF_ERROR") throw error;
  console.log(JSON.stringify(error.message));
}
