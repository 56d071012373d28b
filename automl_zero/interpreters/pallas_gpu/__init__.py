"""The GPU kernel: programs on Hopper GPUs and newer, by Pallas' Mosaic GPU back end (see README.md in this folder).

``choose`` picks between it and the portable interpreter. Mosaic GPU is imported when a kernel is made, not before.
"""
