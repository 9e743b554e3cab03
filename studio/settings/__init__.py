"""The settings: ``base`` for every real process, ``test`` for tests, both read the environment through ``env``."""
