"""Append-only: the one way to write is the function `audit.append`, owned by a role that nobody logs in as.

The app reads its lab's chain, the operator all; neither writes. Triggers refuse UPDATE, DELETE and TRUNCATE to every
role, the tables' owner and the function's owner too. The triggers' functions belong to the owner role, in the schema
`guards`: a restore makes the triggers before it becomes the auditor.
"""

from django.db import migrations

from labportal.role_names import CURRENT_LAB, role

APP, OPERATOR, AUDITOR = role("app"), role("operator"), role("auditor")

WALLS = f"""
ALTER TABLE audit_entry ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_entry FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_head ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_head FORCE ROW LEVEL SECURITY;
REVOKE ALL ON audit_entry, audit_head FROM {APP}, {OPERATOR};
GRANT SELECT ON audit_entry TO {APP}, {OPERATOR};
GRANT SELECT ON audit_head TO {OPERATOR};
GRANT USAGE ON SCHEMA public TO {AUDITOR};
GRANT SELECT, INSERT ON audit_entry TO {AUDITOR};
GRANT SELECT, INSERT, UPDATE ON audit_head TO {AUDITOR};
CREATE POLICY lab_read ON audit_entry FOR SELECT TO {APP} USING (chain = {CURRENT_LAB});
CREATE POLICY operator ON audit_entry FOR SELECT TO {OPERATOR} USING (true);
CREATE POLICY operator ON audit_head FOR SELECT TO {OPERATOR} USING (true);
CREATE POLICY auditor_read ON audit_entry FOR SELECT TO {AUDITOR} USING (true);
CREATE POLICY auditor_append ON audit_entry FOR INSERT TO {AUDITOR} WITH CHECK (true);
CREATE POLICY auditor ON audit_head TO {AUDITOR} USING (true) WITH CHECK (true);
"""

TRIGGERS = """
CREATE SCHEMA guards;
CREATE FUNCTION guards.refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $body$
BEGIN
  RAISE EXCEPTION 'the audit is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END $body$;
REVOKE ALL ON FUNCTION guards.refuse() FROM PUBLIC;

CREATE FUNCTION guards.forward() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $body$
BEGIN
  IF TG_OP = 'INSERT' AND NEW.seq = 0 THEN
    RETURN NEW;
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.chain = OLD.chain AND NEW.seq = OLD.seq + 1 AND EXISTS (
    SELECT FROM audit_entry e WHERE e.chain = NEW.chain AND e.seq = NEW.seq AND e.hash = NEW.hash
                                AND e.previous = OLD.hash
  ) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'the audit is append-only: a head moves on by one entry' USING ERRCODE = 'insufficient_privilege';
END $body$;
REVOKE ALL ON FUNCTION guards.forward() FROM PUBLIC;

CREATE TRIGGER audit_entry_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
  FOR EACH STATEMENT EXECUTE FUNCTION guards.refuse();
CREATE TRIGGER audit_head_refuse BEFORE DELETE OR TRUNCATE ON audit_head
  FOR EACH STATEMENT EXECUTE FUNCTION guards.refuse();
CREATE TRIGGER audit_head_forward BEFORE INSERT OR UPDATE ON audit_head
  FOR EACH ROW EXECUTE FUNCTION guards.forward();
"""

FUNCTIONS = f"""
CREATE SCHEMA audit;
GRANT USAGE, CREATE ON SCHEMA audit TO {AUDITOR};
GRANT USAGE ON SCHEMA audit TO {APP};
SET LOCAL ROLE {AUDITOR};

CREATE FUNCTION audit.append(
  in_chain uuid, in_actor_kind text, in_actor_id uuid, in_actor_code text, in_action text, in_object_type text,
  in_object_id text, in_facts text, in_ip text
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $body$
DECLARE
  place bigint;
  before text;
  moment timestamptz;
  made text;
BEGIN
  SELECT h.seq + 1, h.hash INTO place, before FROM audit_head h WHERE h.chain = in_chain FOR UPDATE;
  IF NOT FOUND THEN
    INSERT INTO audit_head (chain, seq, hash)
      VALUES (in_chain, 0, encode(sha256(convert_to('labportal audit ' || in_chain, 'UTF8')), 'hex'))
      ON CONFLICT DO NOTHING;
    SELECT h.seq + 1, h.hash INTO STRICT place, before FROM audit_head h WHERE h.chain = in_chain FOR UPDATE;
  END IF;
  moment := clock_timestamp();
  SELECT encode(sha256(convert_to(string_agg(octet_length(part) || ':' || part, ',' ORDER BY i), 'UTF8')), 'hex')
    INTO made
    FROM unnest(ARRAY[
      before, in_chain::text, place::text, to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
      in_actor_kind, coalesce(in_actor_id::text, ''), in_actor_code, in_action, in_object_type, in_object_id,
      in_facts, in_ip
    ]) WITH ORDINALITY AS parts (part, i);
  INSERT INTO audit_entry (hash, previous, chain, seq, at, actor_kind, actor_id, actor_code, action, object_type,
                           object_id, facts, ip)
    VALUES (made, before, in_chain, place, moment, in_actor_kind, in_actor_id, in_actor_code, in_action,
            in_object_type, in_object_id, in_facts, in_ip);
  UPDATE audit_head SET seq = place, hash = made WHERE chain = in_chain;
  RETURN place;
END $body$;
REVOKE ALL ON FUNCTION audit.append(uuid, text, uuid, text, text, text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.append(uuid, text, uuid, text, text, text, text, text, text) TO {APP};

CREATE FUNCTION audit.heads() RETURNS TABLE (chain uuid, seq bigint, hash text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $body$
  SELECT h.chain, h.seq, h.hash FROM audit_head h ORDER BY h.chain
$body$;
REVOKE ALL ON FUNCTION audit.heads() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.heads() TO {APP};
RESET ROLE;
"""  # noqa: S608 - role names of our own settings


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_records")]

    operations = [
        migrations.RunSQL(WALLS, migrations.RunSQL.noop),
        migrations.RunSQL(TRIGGERS, migrations.RunSQL.noop),
        migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop),
    ]
