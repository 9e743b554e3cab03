"""What other tools write and read: importers and exporters; pure, like the core."""
