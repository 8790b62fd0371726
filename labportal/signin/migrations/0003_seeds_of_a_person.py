"""Seeds of second steps, sealed so far for anybody's row, are bound to their person. Needs TOKEN_KEYS where there are any.

Authenticator is no lab's table (labs/allow_list.py), so the owner role sees all its rows.
"""

import uuid

from django.db import migrations

from labportal.sealing import SealError, seal, unseal

PURPOSE = uuid.UUID("6a1f3a52-6b5e-4d0e-9a3f-1f1c5b0f7d10")


def anybodys(row, name):
    return PURPOSE


def its_persons(row, name):
    return uuid.uuid5(PURPOSE, f"{row.user_id} {name}")


def seal_anew(apps, schema_editor, opens, binds):
    alias = schema_editor.connection.alias
    steps = apps.get_model("mfa", "Authenticator").objects.using(alias)
    for row in steps.exclude(type="webauthn").select_for_update():
        for name in {"secret", "seed"} & row.data.keys():
            try:
                values = unseal(row.data[name], lab_id=None, owner_id=opens(row, name))
            except SealError as error:
                if error.code in {"no_key", "unknown_key"}:
                    raise RuntimeError(
                        f"TOKEN_KEYS lacks the key of a second step ({error.code}); nothing changed"
                    ) from None
                continue  # a broken one opens nothing, before and after
            row.data[name] = seal(values, lab_id=None, owner_id=binds(row, name))
        row.save(using=alias, update_fields=["data"])


def bind(apps, schema_editor):
    seal_anew(apps, schema_editor, anybodys, its_persons)


def release(apps, schema_editor):
    seal_anew(apps, schema_editor, its_persons, anybodys)


class Migration(migrations.Migration):
    dependencies = [("signin", "0002_walls"), ("mfa", "0003_authenticator_type_uniq")]

    operations = [migrations.RunPython(bind, release)]
