"""Decides how people sign in and out of the pages."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView, PasswordChangeView, redirect_to_login
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from accounts.access import Verdict, access_of
from accounts.reach import reaching
from accounts.roles import Role
from accounts.services import audit_write
from accounts.tokens import is_open_access, open_access_user

View = Callable[..., HttpResponseBase]


class SignIn(LoginView):
    """The login form."""

    template_name = "accounts/login.html"
    redirect_authenticated_user = True

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Show what was wrong; 429 while too many failures make everybody at this address wait."""
        wait: int = getattr(self.request, "login_wait", 0)
        if not wait:
            return super().form_invalid(form)
        form.errors.clear()
        form.add_error(None, f"Too many failed logins. Try again in {wait} seconds.")
        response = self.render_to_response(self.get_context_data(form=form), status=429)
        response["Retry-After"] = str(wait)
        return response


class SignOut(LogoutView):
    """Ends the session; only by POST."""

    next_page = "/auth/login/"


class PasswordChange(PasswordChangeView):
    """The form for a new password; signed tokens and other sessions end with the old one."""

    template_name = "accounts/password.html"
    success_url = "/"

    def form_valid(self, form: Any) -> HttpResponse:
        """Save, note it, and say so."""
        with transaction.atomic():
            response = super().form_valid(form)
            audit_write("change_password", actor=self.request.user.get_username())
        messages.success(self.request, "The password is changed. Other sessions and signed tokens have ended.")
        return response


def page(least: Role = Role.VIEWER) -> Callable[[View], View]:
    """Decorate a page: nobody is sent to the login form, somebody below the role gets 403."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                if not is_open_access():
                    return redirect_to_login(request.get_full_path())
                request.user = open_access_user()
            return _answer(view, least, request, *args, **kwargs)

        return checked

    return decorate


def _answer(view: View, least: Role, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    access, dag_id = access_of(request.user), kwargs.get("dag_id")
    best = access.best()
    if best is None or best < least:
        return forbidden(request, least)
    verdict = access.on_dag(least, dag_id) if dag_id is not None else Verdict.GRANTED
    if verdict is Verdict.FORBIDDEN:
        return forbidden(request, least)
    if verdict is Verdict.UNKNOWN:
        raise Http404(f"There is no DAG {dag_id}")
    with reaching(access.scope(least)):
        return view(request, *args, **kwargs)


def forbidden(request: HttpRequest, least: Role) -> HttpResponse:
    """Say which role the page needs."""
    return render(request, "accounts/forbidden.html", {"role": least.name.title()}, status=403)
