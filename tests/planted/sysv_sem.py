"""System V semaphore sets that are wrong: kernels at the adapter's seam, and the list of all."""

from dataclasses import replace
from typing import Any

from harness.mechanism import Mechanism
from harness.spec import Errno, Op, Reply
from models.sysv_sem import (
    SEMVMX,
    Get,
    Getall,
    Semget,
    Semop,
    Semtimedop,
    Setall,
    Setval,
    SysvSem,
)
from properties.kernel.sysv_sem import SysvSemAdapter
from properties.sysv_sem import SYSV_SEM, one, steps
from tests.planted.bug import Bug
from tests.planted.sysv_sem_models import (
    ARaiseServesEveryTaker,
    CountsAtEverySemaphore,
    ForgetsUndo,
    LastComeFirstServed,
    NobodyPasses,
    SetvalKeepsOwnUndo,
    UndoBelowZeroIsSkipped,
)

EAGAIN, EIDRM, EINTR, EINVAL, ERANGE = map(Errno, ("EAGAIN", "EIDRM", "EINTR", "EINVAL", "ERANGE"))


class UndoesWholeArrays(SysvSemAdapter):
    """SEM_UNDO of one step counts for all the steps of its array."""

    def perform(self, op: Op) -> Reply:
        if isinstance(op, Semop | Semtimedop):
            undo = any(step.undo for step in op.steps)
            op = replace(op, steps=tuple(replace(step, undo=undo) for step in op.steps))
        return super().perform(op)


class TakesStepByStep(SysvSemAdapter):
    """The steps of an array are taken one by one, each as soon as it can be."""

    def perform(self, op: Op) -> Reply:
        if not isinstance(op, Semop):
            return super().perform(op)
        reply: Reply = None
        for step in op.steps:
            reply = super().perform(Semop((step,)))
            if reply is not None:
                return reply
        return reply if op.steps else super().perform(op)


class TakesUnitByUnit(SysvSemAdapter):
    """A take of two is two takes of one."""

    def perform(self, op: Op) -> Reply:
        if isinstance(op, Semop) and [step.change for step in op.steps] == [-2]:
            half = Semop((replace(op.steps[0], change=-1),))
            reply = super().perform(half)
            return reply if reply is not None else super().perform(half)
        return super().perform(op)


class KeepsStepsAfterTimeout(SysvSemAdapter):
    """An array that has run out of time keeps the steps that could be taken."""

    def perform(self, op: Op) -> Reply:
        reply = super().perform(op)
        if isinstance(op, Semtimedop) and reply == EAGAIN and op.nanoseconds:
            for step in op.steps:
                if super().perform(Semop((replace(step, nowait=True),))) is not None:
                    break
        return reply


class TakesAfterTimeout(SysvSemAdapter):
    """A take that has run out of time still takes the next unit that comes."""

    owed: Semop | None = None

    def perform(self, op: Op) -> Reply:
        if self.owed is not None and super().perform(self.owed) is None:
            self.owed = None
        reply = super().perform(op)
        if isinstance(op, Semtimedop) and reply == EAGAIN and op.nanoseconds:
            self.owed = Semop(tuple(replace(step, nowait=True) for step in op.steps))
        return reply

    def detach(self) -> None:
        self.owed = None
        super().detach()


class ZeroTimeoutWaits(SysvSemAdapter):
    def perform(self, op: Op) -> Reply:
        if isinstance(op, Semtimedop) and (op.seconds, op.nanoseconds) == (0, 0):
            op = replace(op, seconds=60)
        return super().perform(op)


class RetriesWhenInterrupted(SysvSemAdapter):
    def perform(self, op: Op) -> Reply:
        reply = super().perform(op)
        while isinstance(op, Semop) and reply == EINTR:
            reply = super().perform(op)
        return reply


class CountsOneTooMany(SysvSemAdapter):
    def perform(self, op: Op) -> Reply:
        reply = super().perform(op)
        if isinstance(op, Get) and op.command == "GETNCNT" and isinstance(reply, int) and reply:
            return reply + 1
        return reply


class RemovalLooksLikeAbsence(SysvSemAdapter):
    def perform(self, op: Op) -> Reply:
        reply = super().perform(op)
        return EINVAL if reply == EIDRM else reply


class SetallStopsHalfWay(SysvSemAdapter):
    """SETALL sets the values before the one that is out of range."""

    def perform(self, op: Op) -> Reply:
        reply = super().perform(op)
        if isinstance(op, Setall) and reply == ERANGE:
            for sem, value in enumerate(op.values):
                if super().perform(Setval(sem, value)) is not None:
                    break
        return reply


class RaisesToTheBrim(SysvSemAdapter):
    """A raise beyond the largest value stops there, and succeeds."""

    def perform(self, op: Op) -> Reply:
        reply = super().perform(op)
        if isinstance(op, Semop) and reply == ERANGE and len(op.steps) == 1:
            (step,) = op.steps
            before = super().perform(Getall())
            if isinstance(before, tuple):
                return super().perform(Semop(one(step.sem, SEMVMX - before[step.sem])))
        return reply


class IdentifierFollowsKey(SysvSemAdapter):
    """The identifier of a removed set is good for the one that was made after it."""

    def perform(self, op: Op) -> Reply:
        reply = super().perform(op)
        if reply == EINVAL and not isinstance(op, Semget):
            super().perform(Semget(0))
            return super().perform(op)
        return reply


class TakersWantOneMore(SysvSemAdapter):
    """A taker that sleeps is woken only once there is one unit more than it takes."""

    def perform(self, op: Op) -> Reply:
        if isinstance(op, Semop) and len(op.steps) == 1 and op.steps[0].change == -1:
            reply = super().perform(Semop((replace(op.steps[0], nowait=True),)))
            if reply == EAGAIN and not op.steps[0].nowait:
                sem = op.steps[0].sem
                return super().perform(Semop((*steps((sem, -2), (sem, 1)),)))
            return reply
        return super().perform(op)


class TakesOnlyOnceAwake(SysvSemAdapter):
    """A taker sleeps until there is a unit, and takes it itself when it runs again."""

    def perform(self, op: Op) -> Reply:
        if isinstance(op, Semop) and op.steps == one(0, -1):
            attempt = Semop(one(0, -1, nowait=True))
            reply = super().perform(attempt)
            while reply == EAGAIN:
                reply = super().perform(Semop(steps((0, -1), (0, 1))))
                if reply is None:
                    reply = super().perform(attempt)
            return reply
        return super().perform(op)


def _planted(constant: str, **wrong: Any) -> Mechanism:
    name = "sysv-sem-" + constant.lower().replace("_", "-")
    return replace(SYSV_SEM, name=name, reference=f"tests.planted.sysv_sem:{constant}", **wrong)


def _with_adapter(constant: str, adapter: type[SysvSemAdapter]) -> Mechanism:
    return _planted(constant, adapter=adapter)


def _with_model(constant: str, model: type[SysvSem]) -> Mechanism:
    return _planted(constant, model=model)


FORGETS_UNDO = _with_model("FORGETS_UNDO", ForgetsUndo)
UNDOES_WHOLE_ARRAYS = _with_adapter("UNDOES_WHOLE_ARRAYS", UndoesWholeArrays)
SETVAL_KEEPS_OWN_UNDO = _with_model("SETVAL_KEEPS_OWN_UNDO", SetvalKeepsOwnUndo)
TAKES_STEP_BY_STEP = _with_adapter("TAKES_STEP_BY_STEP", TakesStepByStep)
TAKES_UNIT_BY_UNIT = _with_adapter("TAKES_UNIT_BY_UNIT", TakesUnitByUnit)
KEEPS_STEPS_AFTER_TIMEOUT = _with_adapter("KEEPS_STEPS_AFTER_TIMEOUT", KeepsStepsAfterTimeout)
TAKES_AFTER_TIMEOUT = _with_adapter("TAKES_AFTER_TIMEOUT", TakesAfterTimeout)
ZERO_TIMEOUT_WAITS = _with_adapter("ZERO_TIMEOUT_WAITS", ZeroTimeoutWaits)
RETRIES_WHEN_INTERRUPTED = _with_adapter("RETRIES_WHEN_INTERRUPTED", RetriesWhenInterrupted)
COUNTS_ONE_TOO_MANY = _with_adapter("COUNTS_ONE_TOO_MANY", CountsOneTooMany)
REMOVAL_LOOKS_LIKE_ABSENCE = _with_adapter("REMOVAL_LOOKS_LIKE_ABSENCE", RemovalLooksLikeAbsence)
SETALL_STOPS_HALF_WAY = _with_adapter("SETALL_STOPS_HALF_WAY", SetallStopsHalfWay)
RAISES_TO_THE_BRIM = _with_adapter("RAISES_TO_THE_BRIM", RaisesToTheBrim)
IDENTIFIER_FOLLOWS_KEY = _with_adapter("IDENTIFIER_FOLLOWS_KEY", IdentifierFollowsKey)
TAKERS_WANT_ONE_MORE = _with_adapter("TAKERS_WANT_ONE_MORE", TakersWantOneMore)
TAKES_ONLY_ONCE_AWAKE = _with_adapter("TAKES_ONLY_ONCE_AWAKE", TakesOnlyOnceAwake)
LAST_COME_FIRST_SERVED = _with_model("LAST_COME_FIRST_SERVED", LastComeFirstServed)
NOBODY_PASSES = _with_model("NOBODY_PASSES", NobodyPasses)
COUNTS_AT_EVERY_SEMAPHORE = _with_model("COUNTS_AT_EVERY_SEMAPHORE", CountsAtEverySemaphore)
A_RAISE_SERVES_EVERY_TAKER = _with_model("A_RAISE_SERVES_EVERY_TAKER", ARaiseServesEveryTaker)
UNDO_BELOW_ZERO_IS_SKIPPED = _with_model("UNDO_BELOW_ZERO_IS_SKIPPED", UndoBelowZeroIsSkipped)

BUGS: tuple[Bug, ...] = (
    Bug(
        "forgets-undo",
        FORGETS_UNDO,
        "SEM_UNDO makes no difference: a death gives nothing back.",
        needs=frozenset({"death"}),
    ),
    Bug(
        "undoes-whole-arrays",
        UNDOES_WHOLE_ARRAYS,
        "A death also undoes the steps without SEM_UNDO of an array that had one with it.",
        hard=True,
        needs=frozenset({"death"}),
    ),
    Bug(
        "setval-keeps-own-undo",
        SETVAL_KEEPS_OWN_UNDO,
        "SETVAL leaves the undo of the process that calls it.",
        hard=True,
        needs=frozenset({"death"}),
    ),
    Bug(
        "takes-step-by-step",
        TAKES_STEP_BY_STEP,
        "An array that has to sleep has taken its first steps already.",
    ),
    Bug(
        "takes-unit-by-unit",
        TAKES_UNIT_BY_UNIT,
        "A take of two that has to sleep has taken one already.",
    ),
    Bug(
        "keeps-steps-after-timeout",
        KEEPS_STEPS_AFTER_TIMEOUT,
        "An array that ran out of time keeps the steps that could be taken.",
        hard=True,
        needs=frozenset({"timeout"}),
    ),
    Bug(
        "takes-after-timeout",
        TAKES_AFTER_TIMEOUT,
        "A take that ran out of time takes a later unit, which nobody gets.",
        hard=True,
        needs=frozenset({"timeout"}),
    ),
    Bug("zero-timeout-waits", ZERO_TIMEOUT_WAITS, "A timeout of zero waits for a minute."),
    Bug(
        "retries-when-interrupted",
        RETRIES_WHEN_INTERRUPTED,
        "A call that a signal or a stop ends starts again by itself.",
    ),
    Bug("counts-one-too-many", COUNTS_ONE_TOO_MANY, "GETNCNT counts one sleeper too many."),
    Bug(
        "removal-looks-like-absence",
        REMOVAL_LOOKS_LIKE_ABSENCE,
        "The sleepers of a removed set get EINVAL instead of EIDRM.",
    ),
    Bug(
        "setall-stops-half-way",
        SETALL_STOPS_HALF_WAY,
        "SETALL with a value out of range sets those before it.",
    ),
    Bug(
        "raises-to-the-brim",
        RAISES_TO_THE_BRIM,
        "A raise beyond 32767 stops there and succeeds, instead of ERANGE.",
        needs=frozenset({"full"}),
    ),
    Bug(
        "identifier-follows-key",
        IDENTIFIER_FOLLOWS_KEY,
        "The identifier of a removed set reaches the set that was made after it.",
    ),
    Bug(
        "takers-want-one-more",
        TAKERS_WANT_ONE_MORE,
        "A sleeping taker is not woken by the unit that it waits for: a lost wake-up.",
    ),
    Bug(
        "takes-only-once-awake",
        TAKES_ONLY_ONCE_AWAKE,
        "A unit is not handed to a sleeper, which only takes it when it runs again.",
        hard=True,
    ),
    Bug(
        "last-come-first-served",
        LAST_COME_FIRST_SERVED,
        "Of equal sleepers the one that came last is served first.",
        hard=True,
        needs=frozenset({"three actors"}),
    ),
    Bug(
        "nobody-passes",
        NOBODY_PASSES,
        "A sleeper that could go on waits behind an earlier one that cannot.",
        hard=True,
        needs=frozenset({"three actors"}),
    ),
    Bug(
        "counts-at-every-semaphore",
        COUNTS_AT_EVERY_SEMAPHORE,
        "A sleeping array counts at every semaphore that it names, as before Linux 3.16.",
    ),
    Bug(
        "a-raise-serves-every-taker",
        A_RAISE_SERVES_EVERY_TAKER,
        "A raise by one lets every sleeping taker go on.",
        hard=True,
        needs=frozenset({"three actors"}),
    ),
    Bug(
        "undo-below-zero-is-skipped",
        UNDO_BELOW_ZERO_IS_SKIPPED,
        "An undo that would go below 0 is left out instead of stopping at 0.",
        hard=True,
        needs=frozenset({"death"}),
    ),
)
