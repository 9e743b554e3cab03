"""What all entries for events share: reading their bodies, and answering only after commit."""
