"""The GPU kernel compiles to machine code for an H100, without one: by JAX's CUDA plugin, where it is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

# What XLA has to know of the device that it compiles for.
H100 = """
gpu_device_info {
  threads_per_block_limit: 1024 threads_per_warp: 32 shared_memory_per_block: 49152 shared_memory_per_core: 233472
  threads_per_core_limit: 2048 core_count: 132 fpus_per_core: 128 block_dim_limit_x: 2147483647
  block_dim_limit_y: 65535 block_dim_limit_z: 65535 memory_bandwidth: 3352320000000 l2_cache_size: 52428800
  clock_rate_ghz: 1.98 device_memory_size: 84929347584 shared_memory_per_block_optin: 232448
  cuda_compute_capability { major: 9 minor: 0 } registers_per_core_limit: 65536 registers_per_block_limit: 65536
}
platform_name: "CUDA"
dnn_version_info { major: 9 minor: 7 }
runtime_version { major: 13 minor: 0 patch: 0 }
device_description_str: "NVIDIA H100 80GB HBM3"
"""

COMPILE = """
import sys
import jax
import numpy as np
from jax.experimental import topologies
from automl_zero.interpreters.jax_lockstep.batch import Programs, Shape, Tasks
from automl_zero.interpreters.pallas_gpu.evaluate import evaluate
from automl_zero.ops import TABLE, RegisterType

D, F, matrices = map(int, sys.argv[1:4])
topology = topologies.get_topology_desc("", platform="cuda", target_config=sys.argv[4], topology="1x1x1")
mesh = jax.sharding.Mesh(np.array(topology.devices[:1]), ("d",))
one = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())

def array(*sizes, dtype="float32"):
    return jax.ShapeDtypeStruct(sizes, dtype, sharding=one)

kinds = {op.id: {*op.inputs, op.output} for op in TABLE}
ops = tuple(op for op in kinds if matrices or RegisterType.MATRIX not in kinds[op])
shape = Shape(20, 20, matrices, F, "rmse", 1, 100.0, 0, matrices > 0, "float32", ops)
programs = Programs(array(64, 3, 32, 4, dtype="int32"), array(64, 3, 32, 3), array(64, 3, dtype="int32"))
tasks = Tasks(array(D, 100, F), array(D, 100), array(D, 50, F), array(D, 50), array(D, 2, dtype="uint32"),
              array(1, 100, dtype="int32"))
lowered = jax.jit(lambda p, t: evaluate(p, t, shape)).trace(programs, tasks).lower(lowering_platforms=("cuda",))
print("compiled", type(lowered.compile()).__name__)
"""


@pytest.mark.skipif(find_spec("jax_cuda13_plugin") is None, reason="needs JAX's CUDA plugin: pip install '.[cuda]'")
@pytest.mark.parametrize(("D", "F", "matrices"), [(10, 4, 0), (10, 16, 2), (9, 32, 1)])
def test_the_kernel_compiles_for_an_h100(D, F, matrices):
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", COMPILE, *map(str, (D, F, matrices)), H100]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("compiled")
