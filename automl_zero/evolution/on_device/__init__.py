"""Evolution that lives on the device: thousands of islands as arrays, stepped together by compiled JAX programs.

A step makes one individual on every island (step.py): the winner of a tournament or an initial program (breed.py,
tournament.py, mutation.py), without its dead code (liveness.py), looked up in the island's caches (canonical.py,
caches.py), and, where it is in neither, evaluated together with those of other islands (assess.py, hurdles.py). An
individual is one row of 32-bit words (genome.py); all that an island reads and writes is its own (population.py), its
random numbers are a function of its key and the individual's number (draws.py). So its search depends neither on how
many devices share the islands (devices.py), nor on where a compiled call ends, nor on the islands beside it, save that
with their number goes the size of batches, in which an interpreter may round otherwise. At barriers the host takes
over: migration.py, and archipelago.py for what drives experiments.

The search of an island is that of the CPU engine, to which the tests and benchmarks/device_semantics.py compare it. It
differs in its random numbers, in constants kept as float32, and in that a functional fingerprint is of the validation
predictions of a probe alone. The discoveries that an individual descends from are not recorded.

Importing the modules of this package imports JAX, but for support.py.
"""
