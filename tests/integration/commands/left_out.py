"""Which of Airflow's commands and flags are not here, each with its reason; ``test_tree.py`` keeps the table true."""

_ROLES = "the roles are fixed (docs/users.md): there is nothing to create, change or bring in step"
_TEAMS = "there are no teams; a deployment per team, or pools and roles, keep them apart"
_DOWNGRADE = "migrations of this platform go forward only; a backup made before is the way back"
_ALEMBIC = "names a revision of Airflow's schema, which this database does not have; Django's migrations know what is done"
_MANAGERS = "there are no databases of other managers: everything is in the one that `db` looks after"
_DEV = "reloads the code of Airflow itself while it is changed; DAG files are read again without it"

COMMANDS = {
    "db downgrade": _DOWNGRADE,
    "db-manager downgrade": _MANAGERS,
    "db-manager migrate": _MANAGERS,
    "db-manager reset": _MANAGERS,
    "fab-db downgrade": _MANAGERS,
    "fab-db migrate": _MANAGERS,
    "fab-db reset": _MANAGERS,
    "kerberos": "renews tickets for operators that talk Kerberos; `k5start` or a cron job with `kinit` does that beside any program",
    "permissions-cleanup": _ROLES,
    "providers lazy-loaded": "a check of Airflow's own code: are providers imported too early; here none is imported at all",
    "roles add-perms": _ROLES,
    "roles create": _ROLES,
    "roles del-perms": _ROLES,
    "roles delete": _ROLES,
    "roles export": _ROLES,
    "roles import": _ROLES,
    "roles list": _ROLES,
    "sync-perm": _ROLES,
    "teams create": _TEAMS,
    "teams delete": _TEAMS,
    "teams list": _TEAMS,
    "teams sync": _TEAMS,
}

FLAGS = {
    "api-server": {"--dev": _DEV, "-d": _DEV},
    "dag-processor": {"--dev": _DEV, "-d": _DEV},
    "db migrate": dict.fromkeys(("--from-revision", "--from-version", "--to-revision", "--to-version", "-n", "-r"), _ALEMBIC),
    "scheduler": {"--dev": _DEV, "-d": _DEV},
    "triggerer": {"--dev": _DEV, "-d": _DEV, "--team-name": _TEAMS},
}
