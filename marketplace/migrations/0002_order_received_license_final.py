from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="order",
            name="received_units",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="order",
            name="uncharged",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="license",
            name="final_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="license",
            name="revoked_reason",
            field=models.CharField(
                blank=True,
                choices=[("deposit_gone", "Its payment left the chain")],
                default="",
                max_length=16,
            ),
        ),
    ]
