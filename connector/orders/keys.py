"""What the inbox sorts by and searches in, kept by PostgreSQL beside the words it is made of.

Columns, not indexes on expressions: row-level security lets only leakproof comparisons of plain columns into an index's
condition, so the second page of a sort by an expression would read the whole lab.
"""

from datetime import date

from django.db.models import CharField, DateField, Func, GeneratedField, TextField, Value
from django.db.models.functions import Coalesce, Concat, Left, Lower, Upper

FAR = date(9999, 12, 31)  # cases without a due date come last
KEY_MAX = 300
SEARCHED = ("patient_last", "patient_first", "order_id", "doctor", "practice", "chart_number")


class WithoutAccents(Func):
    """Émile stands beside Emil: PostgreSQL's own order of the C locale would put É behind Z."""

    template = "regexp_replace(normalize(%(expressions)s, NFKD), U&'[\\0300-\\036F]', '', 'g')"
    output_field = CharField()


def patient_key() -> GeneratedField:
    """ "last, first", in one case and without accents; cut, since one letter may decompose into eighteen, and an index
    refuses a row longer than 2,700 bytes."""
    name = Lower(Concat("patient_last", Value(", "), "patient_first"), output_field=CharField())
    return GeneratedField(expression=Left(WithoutAccents(name), KEY_MAX), output_field=TextField(), db_persist=True)


def due_key() -> GeneratedField:
    """The due date, or the end of time."""
    return GeneratedField(
        expression=Coalesce("due_date", Value(FAR, DateField())), output_field=DateField(), db_persist=True
    )


def search_text() -> GeneratedField:
    """Everything that a search looks at, in capitals, a line each: a word is looked for once, not six times."""
    lines = [part for name in SEARCHED for part in (name, Value("\n"))]
    return GeneratedField(expression=Upper(Concat(*lines)), output_field=TextField(), db_persist=True)
