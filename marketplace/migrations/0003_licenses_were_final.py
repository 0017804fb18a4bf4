"""Licenses that are there were issued at the finality of their deposits."""

from django.db import migrations

WERE_FINAL = (
    "UPDATE marketplace_license SET final_at = issued_at WHERE final_at IS NULL"
)


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0002_order_received_license_final")]

    operations = [migrations.RunSQL(WERE_FINAL, migrations.RunSQL.noop)]
