"""Erasing what is stored about one person: entered, counted, confirmed, erased, looked for again, and proved.

The person's id is known in ``people`` only, for the length of a call: everything else has its pseudonyms.
"""
