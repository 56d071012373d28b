"""Task sets and working memory laid out for the CPU kernel."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from automl_zero.aligned import aligned_bytes, aligned_zeros, padded
from automl_zero.interpreters import record
from automl_zero.interpreters.kernel import Kernel, Observer, get_kernel
from automl_zero.interpreters.permutation import epoch_order
from automl_zero.memory import MAX_REGISTERS, VECTOR_PREDICTION
from automl_zero.tasks import TaskSet

LANE_WIDTHS = (8, 16)
LARGEST_WIDE_MATRIX = 16 * 1024  #: bytes of a matrix in wide lanes up to which these are used
LARGEST_SPECIALISED = 32  #: up to this F a kernel of its own is made, which is about 15 % faster


class LaneData(NamedTuple):
    """A task set in lanes: block k holds the tasks k L to k L + L - 1, the last one padded with empty lanes.

    Attributes:
        kernel: address of the kernel.
        num_tasks, num_features, num_train, num_valid, epochs: sizes D, F, N, M and the number of epochs.
        num_classes: C for vector labels, 0 for scalar ones.
        lanes: lane width L.
        accuracy: 1 for accuracy, 0 for root mean squared error.
        max_abs_error: error at which a task stops.
        row_bytes: size of a row of lanes.
        scalar_bytes, vector_bytes, matrix_bytes: sizes of registers, multiples of 64.
        x: address of the features, [blocks, N + M] rows of vector_bytes.
        y: address of the labels, [blocks, N + M] rows of scalar_bytes; the index of the class for vector labels.
        seeds_at: address of the task seeds, uint32[blocks, 2, L]: their low and high words.
        orders_at: address of int64[epochs - 1, N], the order of the training examples in every epoch after the first.
        blocks: number of blocks.
        storage: the arrays that the addresses point into, kept alive by being here.
    """

    kernel: int
    num_tasks: int
    num_features: int
    num_train: int
    num_valid: int
    epochs: int
    num_classes: int
    lanes: int
    accuracy: int
    max_abs_error: float
    row_bytes: int
    scalar_bytes: int
    vector_bytes: int
    matrix_bytes: int
    x: int
    y: int
    seeds_at: int
    orders_at: int
    blocks: int
    storage: tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], npt.NDArray[np.uint32], npt.NDArray[np.int64]]


class Arena(NamedTuple):
    """Working memory of one thread of evaluation.

    Attributes:
        records: int64[slots, 8], the encoded program; record_constants is the same memory as doubles.
        job: int64[fields]; job_doubles is the same memory as doubles.
        registers: address of the registers, followed by a scratch matrix.
        scratch, zeros: addresses of the scratch matrix and of a row of zeros.
        backup: address of room for a copy of the registers, 0 where none is needed.
        fitness: float64[blocks, L]; fingerprints: uint64[blocks, L].
        records_at, job_at, fitness_at, fingerprints_at: addresses of these arrays.
        storage: the arrays that the addresses point into, kept alive by being here.
    """

    records: npt.NDArray[np.int64]
    record_constants: npt.NDArray[np.float64]
    job: npt.NDArray[np.int64]
    job_doubles: npt.NDArray[np.float64]
    registers: int
    scratch: int
    zeros: int
    backup: int
    fitness: npt.NDArray[np.float64]
    fingerprints: npt.NDArray[np.uint64]
    records_at: int
    job_at: int
    fitness_at: int
    fingerprints_at: int
    storage: tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]


def lane_width(num_tasks: int, num_features: int, dtype: str) -> int:
    """Lanes for tasks of some number and size.

    Full cache lines beat an exact fit: rows that straddle two lines are slow. Wide is better, since an instruction is
    dispatched once for all lanes, as long as two matrices and some vectors fit the processor's first-level cache.
    """
    narrow, wide = LANE_WIDTHS
    matrix_bytes = num_features**2 * wide * np.dtype(dtype).itemsize
    return narrow if num_tasks <= narrow or matrix_bytes > LARGEST_WIDE_MATRIX else wide


def kernel_for(
    num_tasks: int, num_features: int, num_classes: int, dtype: str, observer: Observer | None = None
) -> Kernel:
    """The kernel that fits tasks of some number and size; num_classes is 0 for scalar labels."""
    specialised = num_features if num_features <= LARGEST_SPECIALISED else None
    return get_kernel(lane_width(num_tasks, num_features, dtype), specialised, dtype, observer, num_classes > 0)


def lay_out(tasks: TaskSet, dtype: str, kernel: Kernel | None = None) -> LaneData:
    """Copy a task set into lanes of an element type."""
    kernel = kernel or kernel_for(tasks.num_tasks, tasks.num_features, tasks.num_classes, dtype)
    lanes, features = kernel.lanes, tasks.num_features
    size = np.dtype(dtype).itemsize
    scalar_bytes, vector_bytes = padded(lanes * size), padded(features * lanes * size)
    blocks, rows = -(-tasks.num_tasks // lanes), tasks.num_train + tasks.num_valid
    x_bytes, y_bytes = aligned_bytes(blocks * rows * vector_bytes), aligned_bytes(blocks * rows * scalar_bytes)
    x = x_bytes.view(dtype).reshape(blocks, rows, -1)[:, :, : features * lanes].reshape(blocks, rows, features, lanes)
    y = y_bytes.view(dtype).reshape(blocks, rows, -1)
    seeds = np.zeros((blocks, 2, lanes), np.uint32)
    for task in range(tasks.num_tasks):
        block, lane = divmod(task, lanes)
        for part, at in (("train", slice(0, tasks.num_train)), ("valid", slice(tasks.num_train, rows))):
            x[block, at, :, lane] = getattr(tasks, f"{part}_x")[task]
            labels = getattr(tasks, f"{part}_y")[task]
            y[block, at, lane] = labels.argmax(axis=1) if tasks.num_classes else labels
        seed = int(tasks.seeds[task])
        seeds[block, :, lane] = seed & 0xFFFFFFFF, seed >> 32
    orders = np.zeros((max(tasks.epochs - 1, 1), tasks.num_train), np.int64)
    for epoch in range(1, tasks.epochs):
        orders[epoch - 1] = epoch_order(epoch, tasks.num_train)
    return LaneData(
        kernel=kernel.address,
        num_tasks=tasks.num_tasks,
        num_features=features,
        num_train=tasks.num_train,
        num_valid=tasks.num_valid,
        epochs=tasks.epochs,
        num_classes=tasks.num_classes,
        lanes=lanes,
        accuracy=int(tasks.evaluation == "accuracy"),
        max_abs_error=float(tasks.max_abs_error),
        row_bytes=lanes * size,
        scalar_bytes=scalar_bytes,
        vector_bytes=vector_bytes,
        matrix_bytes=padded(features * features * lanes * size),
        x=x_bytes.ctypes.data,
        y=y_bytes.ctypes.data,
        seeds_at=seeds.ctypes.data,
        orders_at=orders.ctypes.data,
        blocks=blocks,
        storage=(x_bytes, y_bytes, seeds, orders),
    )


def new_arena(data: LaneData, slots: int, scalars: int, vectors: int, matrices: int) -> Arena:
    """Working memory for programs of up to `slots` instructions and that many registers, on that task set."""
    scalars, vectors = max(scalars, 2), max(vectors, VECTOR_PREDICTION + 1 if data.num_classes else 1)
    counts = (scalars, vectors, matrices)
    if max(counts) > MAX_REGISTERS:
        raise ValueError(f"registers {counts}: expected at most {MAX_REGISTERS} of each type")
    sizes = (data.scalar_bytes, data.vector_bytes, data.matrix_bytes)
    registers = sum(n * size for n, size in zip(counts, sizes, strict=True))
    # Ops on vectors need scratch for a vector, ops on matrices for a matrix.
    scratch = data.matrix_bytes if matrices else data.vector_bytes
    backup = registers if data.epochs > 1 and not data.accuracy else 0  # with accuracy no validation fails
    storage = aligned_bytes(registers + scratch + data.vector_bytes + backup)
    records = aligned_bytes(max(slots, 1) * record.SIZE)
    job = aligned_zeros(record.JOB_FIELDS, np.int64)
    fitness = aligned_zeros((data.blocks, data.lanes))
    fingerprints = aligned_zeros((data.blocks, data.lanes), np.uint64)
    return Arena(
        records=records.view(np.int64).reshape(-1, 8),
        record_constants=records.view(np.float64).reshape(-1, 8),
        job=job,
        job_doubles=job.view(np.float64),
        registers=storage.ctypes.data,
        scratch=storage.ctypes.data + registers,
        zeros=storage.ctypes.data + registers + scratch,
        backup=storage.ctypes.data + registers + scratch + data.vector_bytes if backup else 0,
        fitness=fitness,
        fingerprints=fingerprints,
        records_at=records.ctypes.data,
        job_at=job.ctypes.data,
        fitness_at=fitness.ctypes.data,
        fingerprints_at=fingerprints.ctypes.data,
        storage=(storage, records),
    )
