"""The instructions of the stand-in: one dispatch over the op for every instruction of every task."""

from __future__ import annotations

import numpy as np

from benchmarks.compiled import jit
from benchmarks.standin_random import gaussian, uniform


@jit
def _index(fraction, size):
    return np.int64(np.float32(size) * np.float32(fraction))


@jit
def _norm(m, at, first, count, stride):
    total = 0.0
    for i in range(count):
        total += m[at, first + i * stride] * m[at, first + i * stride]
    return np.sqrt(total)


@jit
def _mean(m, at, first, count):
    total = 0.0
    for i in range(count):
        total += m[at, first + i]
    return total / count


@jit
def _st_dev(m, at, first, count):
    total = squares = 0.0
    for i in range(count):
        total += m[at, first + i]
        squares += m[at, first + i] * m[at, first + i]
    return np.sqrt(squares / count - (total / count) * (total / count))


@jit
def execute(code, constants, ordinals, begin, end, memory, place):
    """Run instructions begin to end - 1 on the memory of one task; the ids are those of the op table."""
    s, v, m, t = memory[0].scalars, memory[0].vectors, memory[0].matrices, memory[0].scratch
    F = v.shape[1]
    size = m.shape[1]
    for pc in range(begin, end):
        op = code[pc, 0]
        a, b, o = np.uint64(code[pc, 1]), np.uint64(code[pc, 2]), np.uint64(code[pc, 3])
        if op == 0:
            pass
        elif op == 1:
            s[o] = s[a] + s[b]
        elif op == 2:
            s[o] = s[a] - s[b]
        elif op == 3:
            s[o] = s[a] * s[b]
        elif op == 4:
            s[o] = s[a] / s[b]
        elif op == 5:
            s[o] = abs(s[a])
        elif op == 6:
            s[o] = 1.0 / s[a]
        elif op == 7:
            s[o] = np.sin(s[a])
        elif op == 8:
            s[o] = np.cos(s[a])
        elif op == 9:
            s[o] = np.tan(s[a])
        elif op == 10:
            s[o] = np.arcsin(s[a])
        elif op == 11:
            s[o] = np.arccos(s[a])
        elif op == 12:
            s[o] = np.arctan(s[a])
        elif op == 13:
            s[o] = np.exp(s[a])
        elif op == 14:
            s[o] = np.log(s[a])
        elif op == 15:
            s[o] = 1.0 if s[a] >= 0.0 else 0.0
        elif op == 16:
            for i in range(F):
                v[o, i] = 1.0 if v[a, i] > 0.0 else 0.0
        elif op == 17:
            for i in range(size):
                m[o, i] = 1.0 if m[a, i] > 0.0 else 0.0
        elif op == 18:
            x = s[a]
            for i in range(F):
                v[o, i] = x * v[b, i]
        elif op == 19:
            x = s[a]
            for i in range(F):
                v[o, i] = x
        elif op == 20:
            for i in range(F):
                v[o, i] = 1.0 / v[a, i]
        elif op == 21:
            s[o] = _norm(v, a, 0, F, 1)
        elif op == 22:
            for i in range(F):
                v[o, i] = abs(v[a, i])
        elif op == 23:
            for i in range(F):
                v[o, i] = v[a, i] + v[b, i]
        elif op == 24:
            for i in range(F):
                v[o, i] = v[a, i] - v[b, i]
        elif op == 25:
            for i in range(F):
                v[o, i] = v[a, i] * v[b, i]
        elif op == 26:
            for i in range(F):
                v[o, i] = v[a, i] / v[b, i]
        elif op == 27:
            total = 0.0
            for i in range(F):
                total += v[a, i] * v[b, i]
            s[o] = total
        elif op == 28:
            for i in range(F):
                for j in range(F):
                    m[o, i * F + j] = v[a, i] * v[b, j]
        elif op == 29:
            x = s[a]
            for i in range(size):
                m[o, i] = x * m[b, i]
        elif op == 30:
            for i in range(size):
                m[o, i] = 1.0 / m[a, i]
        elif op == 31:  # by way of scratch, because the output may be the vector that is read
            for i in range(F):
                total = 0.0
                for j in range(F):
                    total += m[a, i * F + j] * v[b, j]
                t[i] = total
            for i in range(F):
                v[o, i] = t[i]
        elif op == 32:
            for i in range(size):
                m[o, i] = v[a, i // F]
        elif op == 33:
            for i in range(size):
                m[o, i] = v[a, i % F]
        elif op == 34:
            s[o] = _norm(m, a, 0, size, 1)
        elif op == 35:
            for i in range(F):
                v[o, i] = _norm(m, a, i, F, F)
        elif op == 36:
            for i in range(F):
                v[o, i] = _norm(m, a, i * F, F, 1)
        elif op == 37:
            for i in range(F):
                for j in range(F):
                    t[i * F + j] = m[a, j * F + i]
            for i in range(size):
                m[o, i] = t[i]
        elif op == 38:
            for i in range(size):
                m[o, i] = abs(m[a, i])
        elif op == 39:
            for i in range(size):
                m[o, i] = m[a, i] + m[b, i]
        elif op == 40:
            for i in range(size):
                m[o, i] = m[a, i] - m[b, i]
        elif op == 41:
            for i in range(size):
                m[o, i] = m[a, i] * m[b, i]
        elif op == 42:
            for i in range(size):
                m[o, i] = m[a, i] / m[b, i]
        elif op == 43:
            for i in range(F):
                for j in range(F):
                    t[i * F + j] = 0.0
                for k in range(F):
                    for j in range(F):
                        t[i * F + j] += m[a, i * F + k] * m[b, k * F + j]
            for i in range(size):
                m[o, i] = t[i]
        elif op == 44:
            s[o] = s[b] if s[b] < s[a] else s[a]
        elif op == 45:
            for i in range(F):
                v[o, i] = v[b, i] if v[b, i] < v[a, i] else v[a, i]
        elif op == 46:
            for i in range(size):
                m[o, i] = m[b, i] if m[b, i] < m[a, i] else m[a, i]
        elif op == 47:
            s[o] = s[b] if s[b] > s[a] else s[a]
        elif op == 48:
            for i in range(F):
                v[o, i] = v[b, i] if v[b, i] > v[a, i] else v[a, i]
        elif op == 49:
            for i in range(size):
                m[o, i] = m[b, i] if m[b, i] > m[a, i] else m[a, i]
        elif op == 50:
            s[o] = _mean(v, a, 0, F)
        elif op == 51:
            s[o] = _mean(m, a, 0, size)
        elif op == 52:
            for i in range(F):
                v[o, i] = _mean(m, a, i * F, F)
        elif op == 53:
            for i in range(F):
                v[o, i] = _st_dev(m, a, i * F, F)
        elif op == 54:
            s[o] = _st_dev(v, a, 0, F)
        elif op == 55:
            s[o] = _st_dev(m, a, 0, size)
        elif op == 56:
            s[o] = constants[pc, 0]
        elif op == 57:
            v[o, _index(constants[pc, 0], F)] = constants[pc, 1]
        elif op == 58:
            m[o, _index(constants[pc, 0], F) * F + _index(constants[pc, 1], F)] = constants[pc, 2]
        elif op == 59:
            s[o] = uniform(place, ordinals[pc], 0, constants[pc, 0], constants[pc, 1])
        elif op == 60:
            for i in range(F):
                v[o, i] = uniform(place, ordinals[pc], i, constants[pc, 0], constants[pc, 1])
        elif op == 61:
            for i in range(size):
                m[o, i] = uniform(place, ordinals[pc], i, constants[pc, 0], constants[pc, 1])
        elif op == 62:
            s[o] = gaussian(place, ordinals[pc], 0, constants[pc, 0], constants[pc, 1])
        elif op == 63:
            for i in range(F):
                v[o, i] = gaussian(place, ordinals[pc], i, constants[pc, 0], constants[pc, 1])
        elif op == 64:
            for i in range(size):
                m[o, i] = gaussian(place, ordinals[pc], i, constants[pc, 0], constants[pc, 1])
