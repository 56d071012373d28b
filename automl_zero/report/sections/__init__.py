"""The sections of a report, one a module; each has a function from a Report to the markup of its section."""
