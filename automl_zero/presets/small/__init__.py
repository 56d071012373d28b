"""Small versions of the presets."""
