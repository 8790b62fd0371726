"""Counting across all processes, in the table of the shared cache, by one statement: no two of the same instant count
as one, as they would by Django's `incr`, which reads and then writes.

A row ends like every entry of the cache. Its value is base64, as the cache's own, but no pickle: only `count` reads it.
"""

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from psycopg import sql

ONE_MORE = sql.SQL("""
    INSERT INTO {table} AS c (cache_key, value, expires)
    VALUES (%(key)s, encode(convert_to(%(by)s::text, 'UTF8'), 'base64'), now() + %(seconds)s * interval '1 second')
    ON CONFLICT (cache_key) DO UPDATE SET
        value = encode(
            convert_to((convert_from(decode(c.value, 'base64'), 'UTF8')::int + %(by)s)::text, 'UTF8'), 'base64'
        )
    RETURNING convert_from(decode(value, 'base64'), 'UTF8')::int
""")


SO_FAR = sql.SQL("""
    SELECT convert_from(decode(value, 'base64'), 'UTF8')::int FROM {table} WHERE cache_key = %(key)s AND expires > now()
""")


def count(name: str, *, seconds: int, by: int = 1) -> int:
    """One more under this name, or `by` more; how many by now. The row is kept for `seconds` and cleared some time
    after, so the window of time that is counted belongs into the name. Others of that name wait for the running
    transaction."""
    return _asked(ONE_MORE, name, seconds=seconds, by=by)


def counted(name: str) -> int:
    """How many there are under this name; nobody waits."""
    return _asked(SO_FAR, name)


def _asked(query: sql.SQL, name: str, **values: int) -> int:
    table = sql.Identifier(str(settings.CACHES["default"]["LOCATION"]))
    with connection.cursor() as cursor:
        text = query.format(table=table).as_string(cursor.connection)
        cursor.execute(text, {"key": cache.make_key(name), **values})
        row = cursor.fetchone()
    return row[0] if row else 0
