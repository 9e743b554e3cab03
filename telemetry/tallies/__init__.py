"""What a tally holds beside its counts: sketches of values and of subjects, made, merged and read. No database here."""
