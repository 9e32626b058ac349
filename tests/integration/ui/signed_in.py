"""Decides how the page tests sign somebody in."""

from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import User


def client_of(role: str, *, name: str = "") -> Client:
    """A client of somebody with a role: Viewer, User, Op or Admin."""
    user = User.objects.create_user(name or role.lower())
    user.groups.add(Group.objects.get_or_create(name=role)[0])
    client = Client()
    client.force_login(user)
    return client
