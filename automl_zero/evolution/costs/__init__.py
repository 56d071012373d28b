"""Measured costs of the ops, one versioned file for each backend, for the train budget."""
