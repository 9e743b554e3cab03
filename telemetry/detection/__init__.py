"""Recognising personal data and secrets in what events carry; pure, and not part of what an app installs.

Nothing is imported here: the words of ``detector`` are used where the libraries of the detectors are not needed.
"""
