"""The tracker: what an app needs to send events that obey their spec. Imports the core, never Django."""
