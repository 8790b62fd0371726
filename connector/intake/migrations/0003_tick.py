"""The one schedule of the task queue. One unparsable schedule row stops all schedules (measured), so there is only this."""

from django.db import migrations


def make_tick(apps, schema_editor):
    schedules = apps.get_model("django_q", "Schedule").objects.using(schema_editor.connection.alias)
    schedules.create(name="tick", func="labportal.tick.tick", schedule_type="I", minutes=1, repeats=-1)


def remove_tick(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.using(schema_editor.connection.alias).filter(name="tick").delete()


class Migration(migrations.Migration):
    dependencies = [("intake", "0002_walls"), ("django_q", "0018_task_success_index")]

    operations = [migrations.RunPython(make_tick, remove_tick)]
