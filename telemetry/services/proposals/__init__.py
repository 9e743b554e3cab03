"""What people do with proposals, and what becomes of them once they are published."""
