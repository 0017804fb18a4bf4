from django.db import migrations, models
from django.db.models.fields.json import KeyTransform


class Migration(migrations.Migration):
    dependencies = [("chain", "0001_initial")]

    operations = [
        migrations.AddIndex(
            model_name="event",
            index=models.Index(KeyTransform("ref", "args"), name="event_ref"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(KeyTransform("account", "args"), name="event_account"),
        ),
    ]
