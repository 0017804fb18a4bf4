from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0004_refunds")]

    operations = [
        migrations.AddField(
            model_name="listing",
            name="suspended_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
