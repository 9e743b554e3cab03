"""Log records over OTLP/HTTP, from any OpenTelemetry SDK."""
