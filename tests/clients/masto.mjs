// A day with masto.js: `node masto.mjs http://address`, for two people called ana and ben.
import assert from "node:assert/strict";
import { createOAuthAPIClient, createRestAPIClient, createStreamingAPIClient } from "masto";
import { codeFor, eventually, outOfBand, picture, scopes, url } from "./asking.mjs";

async function signedIn(username) {
  const app = await createRestAPIClient({ url }).v1.apps.create({
    clientName: "A day",
    redirectUris: outOfBand,
    scopes,
  });
  const asked = { response_type: "code", client_id: app.clientId, redirect_uri: outOfBand, scope: scopes };
  const code = await codeFor(username, `/oauth/authorize?${new URLSearchParams(asked)}`);
  const { accessToken } = await createOAuthAPIClient({ url }).token.create({
    grantType: "authorization_code",
    clientId: app.clientId,
    clientSecret: app.clientSecret,
    redirectUri: outOfBand,
    scope: scopes,
    code,
  });
  return { rest: createRestAPIClient({ url, accessToken }), accessToken };
}

const [{ rest: ana }, { rest: ben, accessToken }] = [await signedIn("ana"), await signedIn("ben")];
const [me, other] = [await ana.v1.accounts.verifyCredentials(), await ben.v1.accounts.verifyCredentials()];
const instance = await ana.v2.instance.fetch();
assert.ok(instance.configuration.statuses.maxCharacters >= 500);

// streaming
const stream = createStreamingAPIClient({
  accessToken,
  streamingApiUrl: instance.configuration.urls.streaming,
});
await stream.prepare();
const heard = [];
const listening = (async () => {
  for await (const event of stream.user.subscribe()) heard.push(event);
})();

// people
await ana.v1.accounts.updateCredentials({ indexable: true }); // or others don't find what ana says
assert.equal((await ben.v1.accounts.$select(me.id).follow()).following, true);
assert.equal((await ben.v1.accounts.relationships.fetch({ id: [me.id] }))[0].following, true);
assert.equal((await ben.v1.accounts.lookup({ acct: "ana" })).id, me.id);

// posts
const post = await ana.v1.statuses.create({ status: "Good morning @ben #day", language: "en" });
const reply = await ben.v1.statuses.create({ status: "@ana good morning", inReplyToId: post.id });
const context = await ana.v1.statuses.$select(post.id).context.fetch();
assert.deepEqual(context.descendants.map((one) => one.id), [reply.id]);
assert.equal((await ben.v1.statuses.$select(post.id).reblog()).reblog.id, post.id);
assert.equal((await ben.v1.statuses.$select(post.id).favourite()).favourited, true);
assert.equal((await ben.v1.statuses.$select(post.id).bookmark()).bookmarked, true);
const quote = await ana.v1.statuses.create({ status: "As I said", quotedStatusId: post.id });
assert.equal(quote.quote.quotedStatus.id, post.id);
const poll = await ana.v1.statuses.create({ status: "Tea?", poll: { options: ["yes", "no"], expiresIn: 600 } });
assert.equal((await ben.v1.polls.$select(poll.poll.id).votes.create({ choices: [0] })).votesCount, 1);
const media = await ana.v2.media.create({ file: new Blob([picture], { type: "image/png" }), description: "red" });
const shown = await ana.v1.statuses.create({ status: "A picture", mediaIds: [media.id] });
assert.equal(shown.mediaAttachments[0].description, "red");
const edited = await ana.v1.statuses.$select(shown.id).update({ status: "The picture", mediaIds: [media.id] });
assert.ok(edited.editedAt);
assert.equal((await ana.v1.statuses.$select(shown.id).history.list()).length, 2);
assert.equal((await ana.v1.statuses.$select(shown.id).remove()).text, "The picture");

// what one reads
const home = await ben.v1.timelines.home.list({ limit: 2 });
assert.equal(home.length, 2);
const pages = [];
for await (const page of ben.v1.timelines.home.list({ limit: 2 })) pages.push(...page);
assert.equal(new Set(pages.map((one) => one.id)).size, pages.length);
assert.ok(pages.some((one) => one.id === post.id));
const list = await ben.v1.lists.create({ title: "Mornings" });
await ben.v1.lists.$select(list.id).accounts.create({ accountIds: [me.id] });
assert.ok((await ben.v1.timelines.list.$select(list.id).list()).some((one) => one.id === post.id));
await ben.v2.filters.create({
  title: "no mornings",
  context: ["public"],
  filterAction: "warn",
  keywordsAttributes: [{ keyword: "morning", wholeWord: true }],
});
const filtered = (await ben.v1.timelines.public.list()).find((one) => one.id === post.id);
assert.deepEqual(filtered.filtered[0].keywordMatches, ["morning"]);
assert.ok((await ben.v1.timelines.tag.$select("day").list()).some((one) => one.id === post.id));
assert.deepEqual((await ben.v2.search.list({ q: "tea", type: "statuses" })).statuses.map((one) => one.id), [poll.id]);

// what one is told
// the worker makes them, as soon as it gets a processor
await eventually(async () => (await ana.v1.notifications.list()).length === 4);
const told = (await ana.v1.notifications.list()).map((one) => one.type);
assert.deepEqual([...told].sort(), ["favourite", "follow", "mention", "reblog"]);
const grouped = await ana.v2.notifications.list();
assert.equal(grouped.notificationGroups.length, 4);
await ana.v1.notifications.clear();
assert.equal((await ana.v1.notifications.list()).length, 0);
await eventually(() => heard.some((event) => event.event === "notification" && event.payload.type === "mention"));
await eventually(() => heard.some((event) => event.event === "update" && event.payload.id === poll.id));
await eventually(() => heard.some((event) => event.event === "delete" && event.payload === shown.id));

// push
const subscribed = await ben.v1.push.subscription.create({
  subscription: {
    endpoint: "https://push.example.org/one",
    keys: {
      p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
      auth: "BTBZMqHH6r4Tts7J_aSIgg",
    },
  },
  data: { alerts: { mention: true } },
});
assert.equal(subscribed.alerts.mention, true);
await ben.v1.push.subscription.remove();

stream.close();
await listening;
console.log(JSON.stringify({ done: [other.username, me.username] }));
process.exit(0);
