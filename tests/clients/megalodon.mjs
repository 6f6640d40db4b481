// A day with megalodon: `node megalodon.mjs http://address`, for two people called ana and ben.
import assert from "node:assert/strict";
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Mastodon } from "megalodon";
import { codeFor, eventually, outOfBand, picture, scopes, url } from "./asking.mjs";



async function signedIn(username) {
  const nobody = new Mastodon(url, null, null);
  const app = await nobody.registerApp("A day", { scopes: scopes.split(" "), redirect_uris: outOfBand });
  const code = await codeFor(username, app.url);
  const token = await nobody.fetchAccessToken(app.client_id, app.client_secret, code, outOfBand);
  return new Mastodon(url, token.access_token, "a day");
}

const [ana, ben] = [await signedIn("ana"), await signedIn("ben")];
const me = (await ana.verifyAccountCredentials()).data;
const instance = (await ana.getInstance()).data;
assert.ok(instance.configuration.statuses.max_characters >= 500);

// streaming
const stream = await ben.userStreaming();
const heard = [];
for (const event of ["update", "notification", "delete", "status_update"]) {
  stream.on(event, (payload) => heard.push({ event, payload }));
}
const connected = new Promise((resolve) => stream.once("connect", resolve));
await connected;

// people
await ana.client.patch("/api/v1/accounts/update_credentials", { indexable: true }); // megalodon knows no such field
assert.equal((await ben.followAccount(me.id)).data.following, true);
assert.equal((await ben.getRelationship(me.id)).data.following, true);
await ben.muteAccount(me.id, true);
await ben.unmuteAccount(me.id);

// posts
const post = (await ana.postStatus("Good morning @ben #day", { language: "en" })).data;
const reply = (await ben.postStatus("@ana good morning", { in_reply_to_id: post.id })).data;
const context = (await ana.getStatusContext(post.id)).data;
assert.deepEqual(context.descendants.map((one) => one.id), [reply.id]);
assert.equal((await ben.reblogStatus(post.id)).data.reblog.id, post.id);
assert.equal((await ben.favouriteStatus(post.id)).data.favourited, true);
assert.equal((await ben.bookmarkStatus(post.id)).data.bookmarked, true);
// megalodon asks for quotes by the name that Fedibird gave them, which Mastodon does not know
const quote = (await ben.client.post("/api/v1/statuses", { status: "As she says", quoted_status_id: post.id })).data;
assert.equal((await ana.getStatus(quote.id)).data.quote, true);
const asked = (await ana.postStatus("Tea?", { poll: { options: ["yes", "no"], expires_in: 600 } })).data;
assert.equal((await ben.votePoll(asked.poll.id, [0])).data.votes_count, 1);
const file = join(mkdtempSync(join(tmpdir(), "day-")), "red.png"); // without a name it is no file to megalodon
writeFileSync(file, picture);
const media = (await ana.uploadMedia(createReadStream(file), { description: "red" })).data;
rmSync(dirname(file), { recursive: true });
const shown = (await ana.postStatus("A picture", { media_ids: [media.id] })).data;
assert.equal(shown.media_attachments[0].description, "red");
assert.ok((await ana.editStatus(shown.id, { status: "The picture", media_ids: [media.id] })).data.edited_at);
assert.equal((await ana.getStatusSource(shown.id)).data.text, "The picture");
const later = new Date(Date.now() + 3_600_000).toISOString();
const scheduled = (await ana.postStatus("Later", { scheduled_at: later })).data;
assert.equal((await ana.getScheduledStatuses()).data[0].id, scheduled.id);
await ana.cancelScheduledStatus(scheduled.id);
await ana.deleteStatus(shown.id);

// what one reads
assert.ok((await ben.getHomeTimeline()).data.some((one) => one.id === post.id));
assert.ok((await ben.getTagTimeline("day")).data.some((one) => one.id === post.id));
const list = (await ben.createList("Mornings")).data;
await ben.addAccountsToList(list.id, [me.id]);
assert.ok((await ben.getListTimeline(list.id)).data.some((one) => one.id === post.id));
await ben.createFilter("morning", ["public"], { whole_word: true });
assert.equal((await ben.getFilters()).data[0].phrase, "morning");
const found = (await ben.search("tea", { type: "statuses" })).data;
assert.deepEqual(found.statuses.map((one) => one.id), [asked.id]);

// what one is told
// the worker makes them, as soon as it gets a processor
await eventually(async () => (await ana.getNotifications()).data.length === 4);
const told = (await ana.getNotifications()).data.map((one) => one.type).sort();
assert.deepEqual(told, ["favourite", "follow", "mention", "reblog"]);
await ana.saveMarkers({ notifications: { last_read_id: "1" } });
await ana.dismissNotifications();
assert.equal((await ana.getNotifications()).data.length, 0);
await eventually(() => heard.some(({ event, payload }) => event === "notification" && payload.type === "mention"));
await eventually(() => heard.some(({ event, payload }) => event === "update" && payload.id === asked.id));
await eventually(() => heard.some(({ event, payload }) => event === "delete" && String(payload) === shown.id));
stream.stop();

// push
const keys = {
  p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
  auth: "BTBZMqHH6r4Tts7J_aSIgg",
};
const endpoint = "https://push.example.org/one";
const subscribed = await ben.subscribePushNotification({ endpoint, keys }, { alerts: { mention: true } });
assert.equal(subscribed.data.alerts.mention, true);
await ben.deletePushSubscription();
console.log(JSON.stringify({ done: me.username }));
process.exit(0);
