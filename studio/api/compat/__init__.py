"""Other people's clients: the addresses they call, their wire formats, and how what they send becomes our events.

One package per client. ``mapping`` modules are pure: from decoded bodies to ``ClientEvent``. ``wire`` modules turn
bytes into decoded bodies and back, ``views`` know requests. ``docs/clients.md`` tells people who use them.
"""
