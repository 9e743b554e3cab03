"""Reviews of drafts: what is said about them, and what is decided."""
