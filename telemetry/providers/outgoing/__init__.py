"""The one door through which the studio calls addresses that people have typed in: nothing internal is behind it.

``targets`` reads an address, ``addresses`` judges what its name resolves to, ``session`` connects to exactly that.
"""
