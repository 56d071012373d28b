"""Names for what registers hold, where the flow of data leaves no doubt about it.

The patterns are those of supervised learning by gradient steps: an error is the difference of label and prediction,
weights are what is multiplied with the features on the way to the prediction and updated by something made from the
error, and so on. A register keeps its own name where no pattern fits. Names are given to webs, that is to a value and
its readers, because evolved programs use one register for several things.
"""

from __future__ import annotations

from collections.abc import Iterator

from automl_zero.analysis.simplify.flow import INITIAL, OBSERVATION, Read, Site, reads_of, sites
from automl_zero.analysis.simplify.frame import FEATURES_REGISTER, LEARN, PREDICT, SETUP, Register, check_frame
from automl_zero.analysis.simplify.registers import Web, Webs
from automl_zero.instruction import Instruction
from automl_zero.ops import RegisterType
from automl_zero.program import Program

Names = dict[tuple[int, int, str], str]

_ZEROS = {RegisterType.SCALAR: "zero", RegisterType.VECTOR: "zeros", RegisterType.MATRIX: "zero_matrix"}
_SET = Site(-2, 0)  # stands for the interpreter, which sets features and label
_FEATURES: Web = (FEATURES_REGISTER, _SET)
_SCALINGS = ("scalar_product", "scalar_vector_product", "scalar_matrix_product")


def infer_names(program: Program, num_classes: int = 0) -> Names:
    """Names of operands.

    Args:
        program: the program, best simplified: dead and redundant instructions hide patterns.
        num_classes: number of classes on tasks with vector labels, else 0.

    Returns:
        Names by (component, position of the instruction, operand); the operand is "in1", "in2" or "out". Operands
        without a name are left out. Different values have different names.

    Raises:
        ValueError: the program cannot run on tasks with that many classes.
    """
    return _Names(program, num_classes).operands()


class _Names:
    def __init__(self, program: Program, num_classes: int) -> None:
        self.program, self.frame = program, check_frame(program, num_classes)
        self.webs = Webs(program, self.frame)
        self.names: dict[Web, str] = {}
        self.writes: dict[Web, list[tuple[Site, Instruction]]] = {}
        self.reads: dict[Web, list[tuple[Site, Instruction]]] = {}
        for site, instruction in sites(program):
            for operand, _ in reads_of(instruction):
                web = self.webs.read(Read(site, operand))
                if web is not None:
                    self.reads.setdefault(web, []).append((site, instruction))
            written = self.webs.written(site)
            if written is not None:
                self.writes.setdefault(written, []).append((site, instruction))
        self._find()

    # Facts about webs

    def _operands(self, site: Site) -> list[Web]:
        """What an instruction reads."""
        instruction = self.program.components[site.component][site.position]
        return [self.webs.read(Read(site, operand)) or (register, _SET) for operand, register in reads_of(instruction)]

    def _only_write(self, web: Web, component: int | None = None) -> tuple[Site, Instruction] | None:
        """The instruction that writes a web, if there is one only and no initial zero is read."""
        writes = self.writes.get(web, [])
        if len(writes) != 1 or self._starts_at_zero(web):
            return None
        site, instruction = writes[0]
        return (site, instruction) if component is None or site.component == component else None

    def _starts_at_zero(self, web: Web) -> bool:
        return any(
            INITIAL in seen and self.webs.read(read) == web
            for read, seen in self.webs.flow.seen.items()
            if read != OBSERVATION
        )

    def _is_zero(self, web: Web) -> bool:
        return web not in self.writes and web != self.webs.fixed and self._starts_at_zero(web)

    def _made_by(self, op: str, web: Web, component: int | None = None) -> list[Web]:
        """Operands of the only instruction that writes a web, if it has this op."""
        write = self._only_write(web, component)
        return self._operands(write[0]) if write is not None and write[1].op == op else []

    def _accumulated(self) -> Iterator[tuple[Web, Web]]:
        """Webs that Learn adds something made from the error to, with that; nothing else writes them but Setup."""
        for web, writes in self.writes.items():
            updates = [(site, i) for site, i in writes if site.component != SETUP]
            if len(updates) != 1 or updates[0][0].component != LEARN:
                continue
            site, instruction = updates[0]
            operands = self._operands(site)
            if instruction.spec.elementwise == "diff" and operands[0] == web:
                others = operands[1:]
            elif instruction.spec.elementwise == "sum" and web in operands:
                others = [operand for operand in operands if operand != web]
            else:
                continue
            for change in self.from_error.intersection(others):
                yield web, change

    def _made_from(self, sources: set[Web]) -> set[Web]:
        """The webs that Learn computes, directly or in several steps, from others; each by one instruction."""
        found = set(sources)
        while True:
            more = {
                web
                for web in self.writes
                if (write := self._only_write(web, LEARN)) is not None and found.intersection(self._operands(write[0]))
            }
            if more <= found:
                return found
            found |= more

    # Patterns

    def _find(self) -> None:
        if all(site.component == PREDICT for site, _ in self.writes.get(self.webs.fixed, [])):
            self._name(self.webs.fixed, "prediction")
        for web in self._all():
            if self._is_zero(web):
                self._name(web, _ZEROS[web[0][0]])
        kind = self.frame.label[0]
        diff = "vector_diff" if kind == RegisterType.VECTOR else "scalar_diff"
        compared = {(self.frame.label, _SET), self.webs.fixed}
        errors = {web for web in self.writes if set(self._made_by(diff, web, LEARN)) == compared}
        for web in sorted(errors):
            self._name(web, "error")
        self.from_error = self._made_from(errors)
        self.accumulated = dict(self._accumulated())
        self._find_hidden_layer()
        self._find_parameters()
        self._find_steps()

    def _find_hidden_layer(self) -> None:
        """hidden = max(m @ features [+ b], 0), and its gradient."""
        for web in list(self.writes):
            operands = self._made_by("vector_max", web, PREDICT)
            inner = [operand for operand in operands if not self._is_zero(operand)]
            if len(operands) != 2 or len(inner) != 1:
                continue
            matrix, bias = self._affine(inner[0])
            if matrix is None:
                continue
            self._name(web, "hidden")
            self._name(matrix, "hidden_weights")
            if bias is not None:
                self._name(bias, "hidden_bias")
            self._name(inner[0], "preactivation")
            for gradient in self.writes:
                if inner[0] in self._made_by("vector_heaviside", gradient):
                    self._name(gradient, "active")

    def _affine(self, web: Web) -> tuple[Web | None, Web | None]:
        """Weights and bias of m @ features + b, both of which are learned; the bias may be missing."""
        operands = self._made_by("matrix_vector_product", web, PREDICT)
        if operands and operands[1] == _FEATURES and operands[0] in self.accumulated:
            return operands[0], None
        operands = self._made_by("vector_sum", web, PREDICT)
        for product, bias in (operands, operands[::-1]) if len(operands) == 2 else ():
            matrix, own = self._affine(product)
            if matrix is not None and own is None and bias in self.accumulated:
                return matrix, bias
        return None, None

    def _find_parameters(self) -> None:
        """Learned vectors multiplied with features or hidden units, and what is learned and added to the prediction."""
        predicted = self.webs.fixed
        if predicted not in self.names:
            return
        matrix, bias = self._affine(predicted)
        if matrix is not None:
            self._name(matrix, "weights")
        if bias is not None:
            self._name(bias, "bias")
        hidden = {web for web, name in self.names.items() if name.startswith("hidden")}
        for web in self.accumulated:
            for site, instruction in self.reads.get(web, []):
                operands = self._operands(site)
                if site.component != PREDICT:
                    continue
                if instruction.op == "vector_inner_product" and _FEATURES in operands:
                    self._name(web, "weights")
                elif instruction.op == "vector_inner_product" and hidden.intersection(operands):
                    self._name(web, "output_weights")
                elif (
                    instruction.op == "scalar_sum"
                    and self.webs.written(site) == predicted
                    and operands[0] != operands[1]
                ):
                    self._name(web, "bias")

    def _find_steps(self) -> None:
        """The constant that scales the error, the error scaled by it, and what is added to the parameters."""
        for web in self.writes:
            write = self._only_write(web, SETUP)
            if write is not None and write[1].op == "scalar_const_set" and self._scales_the_error(web):
                self._name(web, "learning_rate")
        rates = {web for web, name in self.names.items() if name.startswith("learning_rate")}
        errors = {web for web, name in self.names.items() if name.startswith("error")}
        for web in self.writes:
            operands = set(self._made_by("scalar_product", web, LEARN))
            if operands & rates and operands & errors:
                self._name(web, "scaled_error")
        for web, change in self.accumulated.items():
            owner = self.names.get(web)
            if owner is not None:
                self._name(change, "gradient" if owner == "weights" else f"{owner}_gradient")

    def _scales_the_error(self, web: Web) -> bool:
        """Whether a constant is used in Learn alone, and there to multiply what is made from the error."""
        reads = self.reads.get(web, [])
        return bool(reads) and all(
            site.component == LEARN
            and instruction.op in _SCALINGS
            and any(operand in self.from_error for operand in self._operands(site) if operand != web)
            and self.webs.written(site) in self.from_error
            for site, instruction in reads
        )

    # Results

    def _all(self) -> list[Web]:
        return sorted({*self.reads, *self.writes})

    def _name(self, web: Web, name: str) -> None:
        """Name a web that has no name yet; a number is added to a name that another one has."""
        if web in self.names:
            return
        taken, candidate, number = set(self.names.values()), name, 2
        while candidate in taken:
            candidate, number = f"{name}_{number}", number + 1
        self.names[web] = candidate

    def operands(self) -> Names:
        """The names of all operands that have one."""
        result: Names = {}
        for site, instruction in sites(self.program):
            for operand, register in reads_of(instruction):
                web = self.webs.read(Read(site, operand))
                name = self._input(register, site.component) if web is None else self.names.get(web)
                if name is not None:
                    result[(*site, operand)] = name
            written = self.webs.written(site)
            if written in self.names:
                result[(*site, "out")] = self.names[written]
        return result

    def _input(self, register: Register, component: int) -> str | None:
        if register == FEATURES_REGISTER and component != SETUP:
            return "features"
        return "label" if register == self.frame.label and component == LEARN else None
