"""Two more states: a commit that failed, a payout that moved nothing."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("royalties", "0001_initial"),
    ]

    operations = [
        migrations.AlterField(
            model_name="payout",
            name="state",
            field=models.CharField(
                choices=[
                    ("sending", "Sending"),
                    ("paid", "Paid"),
                    ("blocked", "Blocked"),
                    ("reversed", "Reversed"),
                    ("covered", "Covered"),
                ],
                default="sending",
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="settlement",
            name="state",
            field=models.CharField(
                choices=[
                    ("built", "Built"),
                    ("committed", "Committed"),
                    ("matured", "Matured"),
                    ("vetoed", "Vetoed"),
                    ("failed", "Failed"),
                ],
                default="built",
                max_length=12,
            ),
        ),
    ]
