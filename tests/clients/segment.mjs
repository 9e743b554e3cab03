// Sends calls with Segment's official client for Node: a JSON description on standard input, one line of JSON out.
import { Analytics } from "@segment/analytics-node";
import { text } from "node:stream/consumers";

const { host, key, calls } = JSON.parse(await text(process.stdin));
const analytics = new Analytics({ writeKey: key, host, maxRetries: 0 });
const errors = [];
analytics.on("error", (error) => errors.push(`${error.code}: ${error.reason}`));
for (const { call, timestamp, ...message } of calls) {
  analytics[call]({ ...message, ...(timestamp && { timestamp: new Date(timestamp) }) });
}
await analytics.closeAndFlush();
console.log(JSON.stringify({ errors }));
