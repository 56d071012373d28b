"""Image data sets in the files that they are published as: finding, reading and checking them."""

from __future__ import annotations
