// The interface that the origin has for telemetry specs, as its facts say; written for these tests.

export enum StabilityEnum {
  Idea = "idea",
  InCreation = "in_creation",
  Experimental = "experimental",
  Beta = "beta",
  Stable = "stable",
  Deprecated = "deprecated",
}

export type TelemetryPrivacyLevel = "public" | "internal" | "pii" | "sensitive";

export interface TelemetryMeta {
  name: string;
  version: number;
  title: string;
  description: string;
  domain: string;
  owners: string[];
  tags: string[];
  stability: StabilityEnum;
}

export interface TelemetryPropertyDef {
  type: "string" | "number" | "boolean" | "timestamp" | "json";
  required?: boolean;
  pii?: boolean;
  redact?: boolean;
  description?: string;
}

export interface TelemetryEventDef {
  name: string;
  version: number;
  semantics: { what: string; who?: string; why?: string };
  privacy: TelemetryPrivacyLevel;
  properties: Record<string, TelemetryPropertyDef>;
  retention?: { days: number; policy: "archive" | "delete" };
  sampling?: { rate: number; conditions?: string[] };
  anomalyDetection?: {
    enabled: boolean;
    minimumSample?: number;
    thresholds?: { metric: string; min?: number; max?: number }[];
    actions?: ("alert" | "log" | "trigger_regen")[];
  };
  tags?: string[];
}

export interface TelemetryConfig {
  defaultRetentionDays?: number;
  defaultSamplingRate?: number;
  providers?: {
    type: "posthog" | "segment" | "opentelemetry" | "internal";
    config: Record<string, unknown>;
  }[];
  anomalyDetection?: { enabled: boolean; checkIntervalMs?: number };
}

export interface TelemetrySpec {
  meta: TelemetryMeta;
  events: TelemetryEventDef[];
  config?: TelemetryConfig;
}

declare global {
  const process: { env: Record<string, string | undefined> };
}
