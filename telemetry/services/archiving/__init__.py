"""Events on their way into the archive, what becomes of them there, and their way back."""
