"""Which macros of a template say the same whenever they are asked the same.

Templates write a tool's schema through macros that call each other for every value of it, which is most of the time
that a prompt with tools takes. What such a macro says may be kept, if it depends on what it is given and on nothing
else. This is proved from the template's syntax; a macro of which it cannot be proved is called each time.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from jinja2 import nodes

_HARMLESS: Final = frozenset({"namespace", "range", "dict", "raise_exception"})
"""Names from outside that are the same for everybody; nothing is kept of a render that an exception ends."""

_TELLING: Final = frozenset({"self", "super", "caller", "varargs", "kwargs"})
"""Names that Jinja itself gives a meaning where they are used, which is more than a macro's arguments."""


class _Unproved(Exception):  # noqa: N818 - reads as what happened
    """The macro has something in it of which nothing is known here."""


def repeatable_macros(template: nodes.Template) -> frozenset[str]:
    """The names of the macros that depend on their arguments alone, as far as it can be proved.

    Such a macro stands before everything that could call it, its name means nothing else anywhere, and all that it
    reads are its arguments, what it has certainly made of them before, and other such macros. Chance and the identity
    of objects play no part in it.
    """
    if template.find(nodes.EvalContextModifier) is not None:
        return frozenset()  # the same call may be escaped at one place and not at another
    taken = [macro.name for macro in template.find_all(nodes.Macro)]
    taken += [name.name for name in template.find_all(nodes.Name) if name.ctx != "load"]
    harmless = _HARMLESS.difference(taken)
    needed: dict[str, set[str]] = {}
    for macro in _leading(template, harmless):
        if taken.count(macro.name) == 1 and macro.name not in _HARMLESS:
            try:
                needed[macro.name] = _Reading().of(macro) - harmless
            except _Unproved:
                continue
    while True:
        proved = {name: read for name, read in needed.items() if read <= needed.keys()}
        if len(proved) == len(needed):
            return frozenset(proved)
        needed = proved


def _leading(template: nodes.Template, harmless: frozenset[str]) -> Iterator[nodes.Macro]:
    """The macros at the template's beginning, where none has been called yet."""
    for node in template.body:
        if isinstance(node, nodes.Macro):
            yield node
        elif node.find(nodes.CallBlock) is not None or any(
            not isinstance(call.node, nodes.Name) or call.node.name not in harmless
            for call in node.find_all(nodes.Call)
        ):
            return


class _Reading:
    """What one macro reads that it has not made itself. `known`: the names that certainly have a value of its own."""

    def __init__(self) -> None:
        self._read: set[str] = set()

    def of(self, macro: nodes.Macro) -> set[str]:
        known = {argument.name for argument in macro.args}
        self._look(macro.defaults, set())
        self._go_through(macro.body, known)
        if not self._read.isdisjoint(_TELLING):
            raise _Unproved
        return self._read

    def _go_through(self, body: Sequence[nodes.Node], known: set[str]) -> set[str]:
        """The names that are certainly known behind these statements."""
        for node in body:
            match node:
                case nodes.Output(nodes=told):
                    self._look(told, known)
                case nodes.Assign(target=target, node=value):
                    self._look([value], known)
                    known = known | self._stored(target, known)
                case nodes.If():
                    known = self._branches(node, known)
                case nodes.For():
                    self._loop(node, known)
                case nodes.Break() | nodes.Continue():
                    pass
                case _:
                    raise _Unproved
        return known

    def _branches(self, node: nodes.If, known: set[str]) -> set[str]:
        self._look([node.test], known)
        behind = [self._go_through(node.body, known), self._go_through(node.else_, known)]
        # Each of these is an `if` of its own; none of them need be gone through.
        behind += [self._branches(other, known) for other in node.elif_]
        return set[str].intersection(*behind)

    def _loop(self, node: nodes.For, known: set[str]) -> None:
        self._look([node.iter], known)
        inside = known | self._stored(node.target, known) | {"loop"}
        if node.test is not None:
            self._look([node.test], inside - {"loop"})
        self._go_through(node.body, inside)
        self._go_through(node.else_, known)

    def _stored(self, target: nodes.Node, known: set[str]) -> set[str]:
        match target:
            case nodes.Name(name=name):
                return {name}
            case nodes.NSRef(name=name) if name in known:
                return set()
            case nodes.Tuple(items=items):
                return set[str]().union(*(self._stored(item, known) for item in items))
            case _:
                raise _Unproved

    def _look(self, expressions: Iterable[nodes.Node], known: set[str]) -> None:
        for expression in expressions:
            for node in (expression, *expression.find_all(nodes.Node)):
                match node:
                    case nodes.Name(name=name):
                        self._read |= {name} - known
                    case nodes.Filter(name="random") | nodes.Test(name="sameas"):
                        raise _Unproved
                    case nodes.Stmt():
                        raise _Unproved
                    case _:
                        pass
