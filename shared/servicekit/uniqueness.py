"""A rule of "only one" is a constraint of the database; whoever comes second is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from servicekit.db import unique_violation
from servicekit.errors import Refusal


@contextmanager
def refusing_a_second(
    db: Session, refusal: Callable[[], Refusal], *, of: str | None = None
) -> Iterator[None]:
    """What is written inside is written, or refused where there is one already.

    The transaction goes on after a refusal: what was written inside is undone, and no more.

    Args:
        refusal: the class of what is refused with, or what makes it.
        of: the name of the one constraint that means it; without it any unique one does.

    Raises:
        Refusal: the given one. Its cause is left out: that would carry the values of the row.
        IntegrityError: another constraint was broken.
    """
    try:
        with db.begin_nested():
            yield
    except IntegrityError as error:
        broken = unique_violation(error)
        if broken is None or of not in (None, broken):
            raise
        raise refusal() from None
