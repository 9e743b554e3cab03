"""What a change would do, told from what came in lately: nothing is stored but a short-lived sample."""
