"""Layout of what the CPU kernel reads: instruction records, the run's context and the job. All offsets in bytes.

Addresses are absolute, so that an instruction costs no address arithmetic but for features and labels, whose
address moves with the example: their mask is all ones and selects the offset of the current example.
"""

from __future__ import annotations

# One instruction: a 64-byte cache line.
OP = 0  #: op id
IN1 = 8  #: address of in1; for a random op, its ordinal among the live random ops of the component
IN2 = 16  #: address of in2
OUT = 24  #: address of the output; for a partial write, of the element written
MASK1 = 32  #: -1 when in1 moves with the example, else 0
MASK2 = 40  #: the same for in2
CONSTANTS = 48  #: two doubles; the value of a constant set is the first
SIZE = 64

#: In place of the op id of an outer product which the next instruction adds to a matrix and nothing else reads: both at
#: once. The address of that matrix is where constants would be. No op has this id, for ids are stored in a byte.
OUTER_AND_SUM = 256

# What instructions share, rarely read.
PHASE_WORD = 0  #: phase + 4 * component + 16 * epoch, the first counter word of the random draws
EXAMPLE = 8  #: index of the example within its set, the second counter word
SEEDS = 16  #: address of the task seeds: L low words, then L high words
SCRATCH = 24  #: address of a scratch matrix (or vector, when the program has no matrices)
FEATURES = 32  #: F
CONTEXT_SIZE = 40

# A job: one program on one block of tasks. Fields of 8 bytes, by index.
(
    JOB_PROGRAM,  #: address of the records: Setup, Predict, Learn one after the other
    JOB_SETUP,  #: number of Setup instructions
    JOB_PREDICT,
    JOB_LEARN,
    JOB_MEMORY,  #: address of the registers
    JOB_MEMORY_BYTES,  #: how much of them to clear
    JOB_PREDICTION,  #: address of s1; for vector labels, of v2
    JOB_SCRATCH,
    JOB_LABELS,  #: address of the labels, rows of lanes: numbers or, for vector labels, indices of classes
    JOB_FEATURES,  #: F
    JOB_NUM_TRAIN,
    JOB_NUM_VALID,
    JOB_FIRST_ROW,  #: row of the block's first training example
    JOB_VALID_OFFSET,  #: its first validation example is that many rows later
    JOB_EPOCHS,
    JOB_ORDERS,  #: address of the row order of every epoch after the first, int64 [epochs - 1, num_train]
    JOB_LANES,  #: number of lanes that hold a task; the rest is padding
    JOB_MAX_ABS_ERROR,  #: a double
    JOB_ACCURACY,  #: 1 for accuracy, 0 for root mean squared error
    JOB_SEEDS,
    JOB_FITNESS,  #: address of the fitness of each lane, doubles (output)
    JOB_FINGERPRINT,  #: address of the fingerprint of each lane, 64-bit (input and output), or 0
    JOB_BITS_MASK,  #: which bits of a prediction enter the fingerprint
    JOB_PROBE_ERRORS,  #: 1 to take fingerprints of absolute errors, 0 of predictions
    JOB_CLASSES,  #: C for vector labels
    JOB_ONE_HOT,  #: address of v1 when Learn reads it, else 0
    JOB_BACKUP,  #: address of room for the registers of lanes whose validation has failed, or 0 when nothing follows it
) = range(27)
JOB_FIELDS = 27
