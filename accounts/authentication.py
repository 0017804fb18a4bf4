"""Bearer API keys for Django REST framework, and the permission for their scopes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts import api_keys
from accounts.models import ApiKey, User

if TYPE_CHECKING:  # the framework's views import this module by its setting
    from rest_framework.views import APIView


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer clp_…`; then request.auth is the ApiKey."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        scheme, _, secret = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        found = api_keys.authenticate(secret.strip().decode("ascii", "replace"))
        if found is None:
            raise AuthenticationFailed(
                "This API key does not exist, was revoked or has expired."
            )
        return found.created_by, found

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        return 'Bearer realm="colophon"'


class _ScopePermission(BasePermission):
    """Signed in; and where an API key asks, the key has the scope."""

    scope: ClassVar[str]

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002
        if not request.user.is_authenticated:
            return False
        key: Any = request.auth
        if isinstance(key, ApiKey) and self.scope not in key.scopes:
            self.message = (
                f"This API key has no scope {self.scope}. "
                "Make one that has it under Settings."
            )
            return False
        return True


def HasScope(scope: str) -> type[BasePermission]:  # noqa: N802 - reads as a class
    """A permission class: signed in, and an API key needs this scope.

    Raises:
        ValueError: no such scope (a programming mistake, found at import).
    """
    if scope not in api_keys.SCOPES:
        raise ValueError(f"no scope {scope}")
    return type(f"HasScope_{scope}", (_ScopePermission,), {"scope": scope})
