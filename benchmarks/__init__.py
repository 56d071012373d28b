"""Benchmarks: conformance with the reference implementation, throughput and reproduction of experiments."""
