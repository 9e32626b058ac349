"""Decides the paths under ``/auth/``."""

from django.urls import path, re_path

from accounts.api import TokenView
from accounts.views import PasswordChange, SignIn, SignOut

urlpatterns = [
    re_path(r"^token/?$", TokenView.as_view(), name="token"),
    re_path(r"^token/login/?$", TokenView.as_view(http_method_names=["get", "head", "options"]), name="token_login"),
    re_path(r"^token/cli/?$", TokenView.as_view(lifetime="jwt_cli_expiration_time"), name="token_cli"),
    path("login/", SignIn.as_view(), name="login"),
    path("password/", PasswordChange.as_view(), name="password_change"),
    path("logout/", SignOut.as_view(), name="logout"),
]
