"""A push is kept by one statement: a thousand a second must not hold the pages up.

Not a resolver: it runs as the caller, so the walls hold for what it writes; the settings are afterwards what they were
before (an error ends the transaction, and them with it). `fresh` says that a row was made, `rung` that another push of the last seconds has already rung for this pairing.
"""

from django.db import migrations

from labportal.labs.rls import role

FUNCTION = f"""
CREATE FUNCTION intake_keep_push(for_lab uuid, for_pairing uuid, new_id uuid, rx text)
RETURNS TABLE (fresh boolean, rung boolean) LANGUAGE plpgsql
SET search_path = public, pg_temp AS $keep$
DECLARE
  lab_before text := coalesce(current_setting('app.lab_id', true), '');
  pairings_before text := coalesce(current_setting('app.pairings', true), '');
BEGIN
  PERFORM set_config('app.lab_id', for_lab::text, true), set_config('app.pairings', '*', true);
  INSERT INTO intake_notification (id, lab_id, pairing_id, rx_id, state, reason, attempts, own_failures, received_at)
  VALUES (new_id, for_lab, for_pairing, rx, 'queued', '', 0, 0, now()) ON CONFLICT DO NOTHING;
  fresh := FOUND;
  rung := fresh AND EXISTS (
    SELECT FROM intake_notification n
     WHERE n.lab_id = for_lab AND n.pairing_id = for_pairing AND n.state = 'queued' AND n.id <> new_id
       AND n.attempts = 0 AND n.received_at > now() - interval '5 seconds');
  PERFORM set_config('app.lab_id', lab_before, true), set_config('app.pairings', pairings_before, true);
  RETURN NEXT;
END $keep$;
REVOKE ALL ON FUNCTION intake_keep_push(uuid, uuid, uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION intake_keep_push(uuid, uuid, uuid, text) TO {role("app")};
"""  # noqa: S608 - the role's name, from our settings


class Migration(migrations.Migration):
    dependencies = [("intake", "0009_old_runs")]

    operations = [migrations.RunSQL(FUNCTION, "DROP FUNCTION intake_keep_push(uuid, uuid, uuid, text)")]
