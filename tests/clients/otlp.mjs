// Sends log records with OpenTelemetry's official SDK: a JSON description on standard input, one line of JSON out.
import { diag, DiagLogLevel } from "@opentelemetry/api";
import { OTLPLogExporter as JsonExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPLogExporter as ProtobufExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { text } from "node:stream/consumers";

const { host, key, encoding, compression, resource, scope, records } = JSON.parse(await text(process.stdin));
const errors = [];
const say = (...words) => errors.push(words.map(String).join(" "));
diag.setLogger({ error: say, warn: say, info() {}, debug() {}, verbose() {} }, DiagLogLevel.WARN);
const Exporter = encoding === "json" ? JsonExporter : ProtobufExporter;
const exporter = new Exporter({ url: `${host}/v1/logs`, headers: { Authorization: `Bearer ${key}` }, compression });
const provider = new LoggerProvider({
  resource: resourceFromAttributes(resource),
  processors: [new BatchLogRecordProcessor({ exporter })],
});
const logger = provider.getLogger(scope);
for (const record of records) logger.emit(record);
await provider.shutdown();
console.log(JSON.stringify({ errors }));
