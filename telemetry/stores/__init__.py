"""Where events are kept: one small interface, and what implements it."""
