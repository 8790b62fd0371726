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
    VALUES (%(key)s, encode('1', 'base64'), now() + %(seconds)s * interval '1 second')
    ON CONFLICT (cache_key) DO UPDATE SET
        value = encode(convert_to((convert_from(decode(c.value, 'base64'), 'UTF8')::int + 1)::text, 'UTF8'), 'base64')
    RETURNING convert_from(decode(value, 'base64'), 'UTF8')::int
""")


def count(name: str, *, seconds: int) -> int:
    """One more under this name; how many by now. The row is kept for `seconds` and cleared some time after, so the
    window of time that is counted belongs into the name. Others of that name wait for the running transaction."""
    table = sql.Identifier(str(settings.CACHES["default"]["LOCATION"]))
    with connection.cursor() as cursor:
        query = ONE_MORE.format(table=table).as_string(cursor.connection)
        cursor.execute(query, {"key": cache.make_key(name), "seconds": seconds})
        counted: int = cursor.fetchone()[0]
    return counted
