"""What things cost and how well they do, each in one run beside what others do."""
