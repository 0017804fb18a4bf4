import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import marketplace.models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("chain", "0001_initial"),
        ("marketplace", "0003_licenses_were_final"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="license",
            name="frozen_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="Refund",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "code",
                    models.CharField(
                        default=marketplace.models.refund_id,
                        max_length=40,
                        unique=True,
                    ),
                ),
                ("account", models.CharField(max_length=42)),
                ("nonce", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "Asked"),
                            ("requested", "Requested"),
                            ("paid", "Paid"),
                            ("failed", "Failed"),
                        ],
                        default="asked",
                        max_length=12,
                    ),
                ),
                ("failed_reason", models.TextField(blank=True, default="")),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("requested_at", models.DateTimeField(blank=True, null=True)),
                ("units", models.BigIntegerField(blank=True, null=True)),
                ("tx_hash", models.CharField(blank=True, default="", max_length=66)),
                ("paid_at", models.DateTimeField(blank=True, null=True)),
                (
                    "intent",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="chain.intent",
                    ),
                ),
                (
                    "party",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="accounts.party",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "nonce"), name="one_refund"
                    )
                ],
            },
        ),
    ]
