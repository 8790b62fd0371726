"""What is wrong with an answer: a word of another lab, a telling difference, a changed row, a crash."""

from collections.abc import Iterable

from django.core.cache import cache

from labportal.audit.models import INSTALLATION
from tests.isolation.test_every_url import LET_IN, Answer, kind
from tests.matrix.asking import ask, session_of, told
from tests.matrix.cells import FOREIGN, MALFORMED, MIXED, OWN, RANDOM, SAFE, Cell
from tests.matrix.findings import Findings
from tests.matrix.snapshot import Place, places_changed, snapshot
from tests.matrix.visitors import Visitor

# What they take is no id of a lab's record but a key or a word that a person was given; an unknown one gets a page that
# says so, to everybody.
OF_NO_LAB = {
    "account_confirm_email", "account_reset_password_from_key", "company_door", "invitation_link", "sign_up_link",
}  # fmt: skip
# A case that is opened is marked as seen by this person, a download stands in its timeline.
SEEN = {"orders_seenby", "orders_timelineevent"}

# The names of the labs are the operator's business: one is chosen here to be looked into.
LAB_NAMES = {("operator", "break_glass")}

Asked = list[tuple[Cell, Answer]]


def judge(visitor: Visitor, cells: Iterable[Cell], *, name_each: bool = True) -> Findings:
    """All of these requests by one visitor, who is let in to none of the unsafe ones. `name_each`: what changes
    something is found out by asking once more, one by one; a control need not know."""
    found, every = Findings(), list(cells)
    for safe in (True, False):
        if group := [cell for cell in every if (cell.method in SAFE) is safe]:
            answers, changed = watched(visitor, group)
            found.cells += len(answers)
            for cell, answer in answers:
                look(visitor, cell, answer, found)
            _compare(visitor, answers, found)
            if changed:
                named = _who_changed(visitor, group) if name_each else set()
                found.changed |= named or {f"{visitor.name}: {group[0]} … {sorted(changed)}"}
    return found


def watched(visitor: Visitor, cells: Iterable[Cell]) -> tuple[Asked, set[Place]]:
    """The answers, and the places that are changed by them and should not be."""
    client = visitor.open()
    client.raise_request_exception = False
    cache.clear()  # the limits of the log-in count requests, not people
    before, sessions, answers = snapshot(), {session_of(client)}, []
    person = client.session.get("_auth_user_id", "")
    for cell in cells:
        answers.append((cell, ask(client, cell)))
        sessions.add(session_of(client))
    safe = all(cell.method in SAFE for cell, _ in answers)
    return answers, places_changed(before, snapshot()) - _expected(visitor, sessions, person, safe)


def _expected(visitor: Visitor, sessions: set[str], person: str, safe: bool) -> set[Place]:
    """The visitor's own session; that somebody looked or was refused; and marks on what is their own. allauth writes a
    person's address into its own table when they come to their addresses."""
    places = {(table, key) for table in ("django_session", "usersessions_usersession") for key in sessions}
    places |= {("audit_head", str(INSTALLATION)), ("account_emailaddress", person)}
    if visitor.own is not None:
        lab = str(visitor.own.order.lab_id)
        places.add(("audit_head", lab))
        places |= {(table, lab) for table in SEEN if safe}
    return places


def _who_changed(visitor: Visitor, cells: list[Cell]) -> set[str]:
    """A group changed something: each by itself, to name it."""
    return {
        f"{visitor.name}: {cell} changed {', '.join(sorted({table for table, _ in changed}))}"
        for cell in cells
        if (changed := watched(visitor, [cell])[1])
    }


def look(visitor: Visitor, cell: Cell, answer: Answer, found: Findings) -> None:
    """One answer by itself."""
    if answer.status >= 500 and answer.status != 503:
        found.crashed.add(f"{visitor.name}: {cell} → {answer.status}")
    if cell.kind == MALFORMED and answer.status == 200 and cell.name not in OF_NO_LAB and not cell.form:
        found.differing.add(f"{visitor.name}: {cell} is answered: {cell.path[:60]}")
    if cell.kind == OWN and cell.method == "POST" and cell.refused and is_let_in(answer):
        found.differing.add(f"{visitor.name}: {cell} is let in: {answer.status}")
    if cell.kind == OWN and answer.status < 300 and visitor.own is not None and shows(answer, visitor.own.mark):
        found.shown.add((visitor.name, cell.method, cell.name))
    for other in visitor.others:
        if shows(told(cell, answer), other.mark) and (visitor.name, cell.name) not in LAB_NAMES:
            found.leaks.add(f"{visitor.name}: {cell} shows {other.mark}")
            found.leaking.add((visitor.name, cell.method, cell.name))


def is_let_in(answer: Answer) -> bool:
    """The operator's own site sends others to its own door."""
    return kind(answer) in LET_IN and not answer.headers.get("Location", "").startswith("/admin/login/")


def shows(answer: Answer, mark: str) -> bool:
    return mark.encode() in answer.body + repr(answer.headers).encode()


def _compare(visitor: Visitor, answers: Asked, found: Findings) -> None:
    """Foreign and mixed ids answer as ids of nothing do."""
    nothing = {
        (cell.name, cell.method, cell.way): told(cell, answer) for cell, answer in answers if cell.kind == RANDOM
    }
    for cell, answer in answers:
        if cell.kind in {FOREIGN, MIXED} and cell.name not in OF_NO_LAB:
            missing, seen = nothing[cell.name, cell.method, cell.way], told(cell, answer)
            if seen != missing:
                found.differing.add(f"{visitor.name}: {cell} → {_difference(seen, missing)}")


def _difference(seen: Answer, missing: Answer) -> str:
    if seen.status != missing.status:
        return f"{seen.status}, nothing → {missing.status}"
    headers = sorted(
        name for name in seen.headers | missing.headers if seen.headers.get(name) != missing.headers.get(name)
    )
    return f"{seen.status}, but for {', '.join(headers) or 'its body'}"
