"""Decides how people sign in and out of the pages."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import LoginView, LogoutView, redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from accounts.roles import Role, role_of
from accounts.tokens import is_open_access, open_access_user

View = Callable[..., HttpResponseBase]


class SignIn(LoginView):
    """The login form."""

    template_name = "accounts/login.html"
    redirect_authenticated_user = True


class SignOut(LogoutView):
    """Ends the session; only by POST."""

    next_page = "/auth/login/"


def page(least: Role = Role.VIEWER) -> Callable[[View], View]:
    """Decorate a page: nobody is sent to the login form, somebody below the role gets 403."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                if not is_open_access():
                    return redirect_to_login(request.get_full_path())
                request.user = open_access_user()
            role = role_of(request.user)
            if role is None or role < least:
                return forbidden(request, least)
            return view(request, *args, **kwargs)

        return checked

    return decorate


def forbidden(request: HttpRequest, least: Role) -> HttpResponse:
    """Say which role the page needs."""
    return render(request, "accounts/forbidden.html", {"role": least.name.title()}, status=403)
