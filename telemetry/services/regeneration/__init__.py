"""The Regenerator: what adapters notice becomes proposals, one per cause; nothing of it is published by itself."""
