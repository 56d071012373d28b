"""The search: configurations, the engine that evolves programs, and what a run leaves on disk."""
