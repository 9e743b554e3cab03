"""What a telemetry contract means, as pure Python: no Django, no clock, no randomness, no input or output.

Everything here is a frozen value or a function of its arguments; time, keys and seeds are passed in. The tracker in
an app, the ingest API and the background jobs all call these same functions, which is why they all agree.
"""
