"""Adapters turn what the studio knows into signals; each noun has its own."""
