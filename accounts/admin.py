"""Read-mostly admin: look up people, parties and keys; change almost nothing.

Keys, wallets and holders follow from signed acts; editing their rows would break
what the log says about them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from accounts.models import (
    ApiKey,
    Holder,
    Membership,
    Party,
    SigningKey,
    User,
    Wallet,
)

if TYPE_CHECKING:  # generic for the type checker alone
    AnyAdmin = admin.ModelAdmin[Any]
    AnyInline = admin.TabularInline[Any, Any]
else:
    AnyAdmin = admin.ModelAdmin
    AnyInline = admin.TabularInline


class ReadOnlyAdmin(AnyAdmin):
    """Rows to look at."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: Model | None = None,  # noqa: ARG002
    ) -> bool:
        return False

    def has_delete_permission(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: Model | None = None,  # noqa: ARG002
    ) -> bool:
        return False


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    """People; whether they may sign in and are staff can be changed."""

    list_display = ["email", "name", "is_staff", "is_active", "date_joined"]
    list_filter = ["is_staff", "is_active"]
    search_fields = ["email", "name"]
    fields = ["email", "name", "is_active", "is_staff", "date_joined", "last_login"]
    readonly_fields = ["email", "name", "date_joined", "last_login"]

    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return AnyAdmin.has_change_permission(self, request, obj)


class MembershipInline(AnyInline):
    model = Membership
    extra = 0
    can_delete = False
    raw_id_fields = ["user"]


@admin.register(Party)
class PartyAdmin(ReadOnlyAdmin):
    """Parties; their verification and members can be changed."""

    list_display = ["name", "kind", "code", "verified_at", "created_at"]
    list_filter = ["kind"]
    search_fields = ["name", "code"]
    fields = ["code", "name", "kind", "verified_at", "created_at"]
    readonly_fields = ["code", "name", "kind", "created_at"]
    inlines = [MembershipInline]

    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return AnyAdmin.has_change_permission(self, request, obj)


@admin.register(Holder)
class HolderAdmin(ReadOnlyAdmin):
    list_display = ["name", "code", "position", "payout_address"]
    search_fields = ["name", "code", "payout_address"]


@admin.register(Wallet)
class WalletAdmin(ReadOnlyAdmin):
    list_display = ["address", "user", "party", "linked_at"]
    search_fields = ["address", "user__email"]


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnlyAdmin):
    """Public halves; the sealed private half is never shown."""

    list_display = ["key_id", "party", "purpose", "custody", "enrolled_at"]
    list_filter = ["purpose", "custody"]
    search_fields = ["key_id", "party__name"]
    exclude = ["sealed_private", "spki", "enrollment", "revocation"]


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Prefix and scopes; the digest is never shown."""

    list_display = ["prefix", "label", "party", "scopes", "last_used_at", "revoked_at"]
    search_fields = ["prefix", "label", "party__name"]
    exclude = ["digest"]
