"""What events are looked up by, in one column: search reads one table, and needs no extension of the server."""

from django.db import migrations, models


def fill(apps, schema_editor):
    """Events of before can be found too."""
    records = apps.get_model("telemetry", "EventRecord").objects
    for event in records.prefetch_related("properties").iterator(chunk_size=500):
        semantics = (event.semantics_what, event.semantics_who, event.semantics_why)
        properties = (row.name for row in event.properties.all())
        parts = (event.name, *semantics, *properties, *event.owners, *event.tags)
        records.filter(pk=event.pk).update(search_text="\n".join(part for part in parts if part).casefold())


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0004_reviews")]

    operations = [
        migrations.AddField(
            model_name="eventrecord",
            name="finding_count",
            field=models.PositiveIntegerField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="eventrecord",
            name="search_text",
            field=models.TextField(blank=True, default="", editable=False),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
