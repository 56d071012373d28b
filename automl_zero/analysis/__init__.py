"""Static analysis of programs."""
