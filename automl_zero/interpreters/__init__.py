"""Interpreters of programs: numpy, the definition, and numba, for the CPU."""
