"""Migration operations that build the second wall: row-level security, composite keys, and narrow resolvers.

Roles (labportal/roles.py): owner creates tables, app is web and worker, operator is the admin site, resolver owns the
few functions that answer before a lab is known. No role but the backup's may bypass a policy.
"""

from collections.abc import Mapping

from django.db import migrations

from labportal.role_names import CURRENT_LAB, CURRENT_USER, role

# Migrations find the names here as well.
__all__ = ["CURRENT_LAB", "CURRENT_USER", "NarrowToPairings", "ProtectTable", "Resolver", "role"]

# The hash of the token that a visitor showed: an invitation is read by it before a lab is known.
SHOWN_INVITATION = "nullif(current_setting('app.invitation', true), '')"
# A request's pairings (labs/scope.py): '*' is all, else ids with commas between. Unset or '' is none. Each is asked for
# once a query, not once a row, since it stands in a SELECT of its own.
ALL_PAIRINGS = "(SELECT current_setting('app.pairings', true) = '*')"
GIVEN_PAIRINGS = "(SELECT string_to_array(nullif(current_setting('app.pairings', true), '*'), ',')::uuid[])"


class ProtectTable(migrations.RunSQL):
    """Wall in a lab's table: ENABLE + FORCE, the app's policy, the operator's policy, composite keys.

    `references` maps a column to the lab table it points to: a plain foreign key may point at another lab's row (checks
    of foreign keys ignore policies), so the key on (lab_id, column) is what keeps a lab's rows together.
    `readable` is an extra condition under which the app may READ a row before a lab is known.
    """

    def __init__(self, table: str, references: Mapping[str, str] | None = None, readable: str = "") -> None:
        self.table, self.references, self.readable = table, dict(references or {}), readable
        lab = "id" if table == "labs_lab" else "lab_id"
        mine = f"{lab} = {CURRENT_LAB}"
        app, operator = role("app"), role("operator")
        read = f"{mine} OR {readable}" if readable else mine
        forward = [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY lab_read ON {table} FOR SELECT TO {app} USING ({read})",
            f"CREATE POLICY lab_insert ON {table} FOR INSERT TO {app} WITH CHECK ({mine})",
            f"CREATE POLICY lab_update ON {table} FOR UPDATE TO {app} USING ({mine}) WITH CHECK ({mine})",
            f"CREATE POLICY lab_delete ON {table} FOR DELETE TO {app} USING ({mine})",
            f"CREATE POLICY operator ON {table} TO {operator} USING (true) WITH CHECK (true)",
        ]
        if lab == "lab_id":
            forward.append(f"ALTER TABLE {table} ADD CONSTRAINT {table}_lab_key UNIQUE (lab_id, id)")
        forward += [
            f"ALTER TABLE {table} ADD CONSTRAINT {table}_{column}_lab_fk FOREIGN KEY (lab_id, {column}) "
            f"REFERENCES {target} (lab_id, id) DEFERRABLE INITIALLY DEFERRED"
            for column, target in self.references.items()
        ]
        super().__init__(";\n".join(forward), migrations.RunSQL.noop)

    def deconstruct(self) -> tuple[str, list[object], dict[str, object]]:
        return "ProtectTable", [self.table], {"references": self.references, "readable": self.readable}


class NarrowToPairings(migrations.RunSQL):
    """Let the app see rows of the request's pairings only: a RESTRICTIVE policy, on top of the lab's.

    `column` is the pairing's id, or with `of` the id of a row in that narrowed table, whose own policy then decides.
    """

    def __init__(self, table: str, column: str, of: str = "") -> None:
        self.table, self.column, self.of = table, column, of
        given = f"{column} = ANY({GIVEN_PAIRINGS}::uuid[])"
        seen = f"EXISTS (SELECT FROM {of} narrowed WHERE narrowed.id = {table}.{column})" if of else given
        super().__init__(
            f"CREATE POLICY pairings ON {table} AS RESTRICTIVE TO {role('app')} USING ({ALL_PAIRINGS} OR {seen})",
            migrations.RunSQL.noop,
        )

    def deconstruct(self) -> tuple[str, list[object], dict[str, object]]:
        return "NarrowToPairings", [self.table, self.column], {"of": self.of}


class Resolver(migrations.RunSQL):
    """A function that gives ids, and nothing else, before a lab is known (an API key's hash, due pairings …).

    It runs as the resolver role, which may read only the `columns` named here, through a policy of its own. `signature`
    is `name(argument type, …)`, `returns` a column list, `query` one SELECT.
    """

    def __init__(self, signature: str, *, returns: str, query: str, columns: Mapping[str, str]) -> None:
        self.signature, self.returns, self.query, self.columns = signature, returns, query, dict(columns)
        resolver, app = role("resolver"), role("app")
        forward = []
        for table, names in self.columns.items():
            forward += [
                f"GRANT SELECT ({names}) ON {table} TO {resolver}",
                f"DROP POLICY IF EXISTS resolver ON {table}",
                f"CREATE POLICY resolver ON {table} FOR SELECT TO {resolver} USING (true)",
            ]
        forward += [
            f"SET LOCAL ROLE {resolver}",
            f"CREATE FUNCTION resolve.{signature} RETURNS TABLE ({returns}) LANGUAGE sql STABLE SECURITY DEFINER "
            f"SET search_path = public, pg_temp AS $resolver$ {query} $resolver$",
            f"REVOKE ALL ON FUNCTION resolve.{signature} FROM PUBLIC",
            f"GRANT EXECUTE ON FUNCTION resolve.{signature} TO {app}",
            "RESET ROLE",
        ]
        super().__init__(";\n".join(forward), migrations.RunSQL.noop)

    def deconstruct(self) -> tuple[str, list[object], dict[str, object]]:
        return "Resolver", [self.signature], {"returns": self.returns, "query": self.query, "columns": self.columns}
