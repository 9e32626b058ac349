"""Decides how a name and a password become a user, for pages, admin and API alike."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts import throttle
from accounts.access import users
from accounts.along import brought
from accounts.models import User


class ThrottledBackend(ModelBackend):
    """Django's own, with a limit on failures; ``request.login_wait`` tells the seconds that a refused client waits."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Any:
        """Return the user, None for wrong ones. Raises PermissionDenied while logins are refused."""
        if request is None or username is None or password is None:
            return super().authenticate(request, username=username, password=password, **kwargs)
        if wait := throttle.seconds_to_wait(request, username):
            request.login_wait = wait  # type: ignore[attr-defined]
            raise PermissionDenied
        user = super().authenticate(request, username=username, password=password, **kwargs)
        (throttle.note_failure if user is None else throttle.note_success)(request, username)
        return user

    def get_user(self, user_id: Any) -> User | None:
        """Return the user of a session, with what the page shows around itself: see ``accounts.along``."""
        user = users().annotate(**brought()).filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
