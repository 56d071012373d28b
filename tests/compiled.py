"""Versions that Python can call of functions that otherwise only compiled code calls."""

from automl_zero.analysis import compiled
from automl_zero.evolution import caches, hurdles, mutation, random_numbers
from automl_zero.interpreters import execute
from automl_zero.jit import callable_from_python

find_live = callable_from_python(compiled.find_live)
canonicalise = callable_from_python(compiled.canonicalise)
encode = callable_from_python(execute.encode)
run_kernel = callable_from_python(execute.run_kernel)
look_up = callable_from_python(caches.look_up)
contains = callable_from_python(caches.contains)
insert = callable_from_python(caches.insert)
look_up_counted = callable_from_python(caches.look_up_counted)
insert_counted = callable_from_python(caches.insert_counted)
clears = callable_from_python(hurdles.clears)
mutate = callable_from_python(mutation.mutate)
cross = callable_from_python(mutation.cross)
draw_instruction = callable_from_python(mutation.draw_instruction)
randomize_algorithm = callable_from_python(mutation.randomize_algorithm)
next_bits = callable_from_python(random_numbers.next_bits)
below = callable_from_python(random_numbers.below)
unit = callable_from_python(random_numbers.unit)
between = callable_from_python(random_numbers.between)
normal = callable_from_python(random_numbers.normal)
