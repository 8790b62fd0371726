"""Row-level security; and before a lab is known, which provider stands behind a name, an address's domain or an id."""

from django.db import migrations

from labportal.labs.rls import ProtectTable, Resolver


class Migration(migrations.Migration):
    dependencies = [("signin", "0001_records")]

    operations = [
        ProtectTable("signin_signon"),
        Resolver(
            "sign_on(door text)",
            returns="id uuid",
            query="SELECT s.id FROM signin_signon s JOIN labs_lab l ON l.id = s.lab_id "
            "WHERE s.enabled AND (l.slug = $1 OR $1 = ANY (s.domains))",
            columns={"signin_signon": "id, lab_id, enabled, domains", "labs_lab": "id, slug"},
        ),
        Resolver(
            "sign_on_lab(sign_on uuid)",
            returns="lab_id uuid",
            query="SELECT lab_id FROM signin_signon WHERE id = $1 AND enabled",
            columns={"signin_signon": "id, lab_id, enabled, domains"},
        ),
    ]
