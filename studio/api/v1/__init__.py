"""Version 1 of the API: a package per noun, its shapes (``serializers``) beside its views."""
