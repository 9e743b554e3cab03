"""The studio over HTTP for programs: what all versions of the API share; ``v1`` is the API itself."""
