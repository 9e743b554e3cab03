"""Cases: opened, grown and resolved by judged windows; taken up by people."""
