"""Faults that have to be survived, at random: three rounds in every run, as many as ``FAULT_ROUNDS`` says at night."""
