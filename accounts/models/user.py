"""Decides what a user is."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """A person or program that signs in; rights come from Django's groups."""
