"""Decides what is kept of a rule that gives a group or a user a role on some DAGs (C30-b)."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from accounts.roles import Role


class DagRule(models.Model):
    """A role on the DAGs that fit every condition; an empty condition fits all."""

    group = models.ForeignKey("auth.Group", on_delete=models.CASCADE, null=True, blank=True, related_name="dag_rules")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="dag_rules")
    dag_id = models.CharField("DAG id", max_length=250, default="*", help_text="A pattern: * is any text, ? one character.")
    tag = models.CharField(max_length=100, blank=True, default="", help_text="A tag that the DAG has.")
    owner = models.CharField(max_length=250, blank=True, default="", help_text="One of the owners of the DAG.")
    bundle = models.CharField(max_length=250, blank=True, default="", help_text="The bundle that the DAG comes from.")
    role = models.PositiveSmallIntegerField(choices=[(role.value, role.name.title()) for role in Role if role < Role.ADMIN])
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "DAG rule"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(group__isnull=False, user__isnull=True) | models.Q(group__isnull=True, user__isnull=False),
                name="dag_rule_of_one_subject",
                violation_error_message="A rule names a group or a user, one of the two.",
            )
        ]

    def __str__(self) -> str:
        named: list[Any] = [f"{name} {value}" for name in ("tag", "owner", "bundle") if (value := getattr(self, name))]
        return f"{self.group or self.user}: {Role(self.role).name.title()} on {', '.join([self.dag_id, *named])}"

    def clean(self) -> None:
        """Refuse a rule that fits no DAG because its pattern is empty."""
        if not self.dag_id:
            raise ValidationError({"dag_id": "Write a pattern; * means every DAG."})
