"""Whether all workers could serve other models: a vote of those that live."""

from typing import Generic, TypeVar

Voter = TypeVar("Voter")


class Vote(Generic[Voter]):
    """Open until every worker that lives has said that it could, or one that it cannot.

    A worker that dies meanwhile has no say; the one that takes its place has. But where a worker that answered dies
    twice, what is new is to blame. And where none answers, nor can be started with what is old, nothing speaks for
    that any more.
    """

    def __init__(self) -> None:
        self._asked: set[Voter] = set()
        self._could: set[Voter] = set()
        self._died: set[int] = set()
        self._starts_fail = False
        self.problem: Exception | None = None
        """Why it was lost."""

    @property
    def is_won(self) -> bool:
        """Whether all go over to what is new."""
        if self.problem is not None or self._asked:
            return False
        return bool(self._could) or self._starts_fail

    @property
    def is_open(self) -> bool:
        """Whether it can still be either."""
        return self.problem is None and not self.is_won

    def ask(self, voter: Voter) -> None:
        """This one lives, and has been asked."""
        self._asked.add(voter)

    def could(self, voter: Voter) -> None:
        """It could serve what is new."""
        if voter in self._asked:
            self._asked.remove(voter)
            self._could.add(voter)

    def cannot(self, problem: Exception) -> None:
        """One of them cannot."""
        self.problem = self.problem or problem

    def died(self, voter: Voter, number: int, *, answered: bool, problem: Exception) -> None:
        """It is gone; another will come in its place, with the same `number`. `answered`: it had been ready to."""
        self._asked.discard(voter)
        self._could.discard(voter)
        if not answered:
            self._starts_fail = True
        elif number in self._died:
            self.cannot(problem)
        self._died |= {number} if answered else set()
