// Sends events with PostHog's official client for Node: a JSON description on standard input, one line of JSON out.
import { PostHog } from "posthog-node";
import { text } from "node:stream/consumers";

const { host, key, calls } = JSON.parse(await text(process.stdin));
const client = new PostHog(key, { host, flushAt: 100, fetchRetryCount: 0 });
const errors = [];
client.on("error", (error) => errors.push(String(error)));
for (const { call, timestamp, ...message } of calls) {
  client[call]({ ...message, ...(timestamp && { timestamp: new Date(timestamp) }) });
}
await client.shutdown();
const flags = calls.length ? await new PostHog(key, { host }).getAllFlags("somebody") : null;
console.log(JSON.stringify({ errors, flags }));
