"""Reading specs, versions and what they mean for an installation."""
