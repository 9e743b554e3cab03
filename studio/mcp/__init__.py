"""The catalog for machines: a read-only endpoint of the Model Context Protocol, in two of its eras.

Source: Model Context Protocol, revisions 2024-11-05 to 2025-11-25 (handshake) and 2026-07-28 (one request at a time),
transport Streamable HTTP. Why it is written here: ``docs/adr/0010-mcp-endpoint.md``.
"""
