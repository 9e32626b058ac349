"""Decides the actions ``dags show`` and ``dags show-dependencies``, and where a drawing goes."""

from __future__ import annotations

import shutil
import subprocess
from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import CommandError

from orchestrator.management.command import Action, AirflowCommand, Options

SOURCES = (".dot", ".gv")


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "-s", "--save", metavar="FILE", help="write to this file: .dot, or .png, .svg … where Graphviz is installed"
    )
    parser.add_argument("--imgcat", action="store_true", help="show a picture in the terminal with imgcat")


def _show_arguments(parser: ArgumentParser) -> None:
    from orchestrator.management.local_arguments import add_bundle

    parser.add_argument("dag_id")
    _arguments(parser)
    add_bundle(parser)


def _show(command: AirflowCommand, options: Options) -> None:
    from dags_app.models import Dag
    from orchestrator.local_run.dot import as_dot
    from orchestrator.management.local_arguments import dag_of
    from orchestrator.management.stored import stored_spec
    from orchestrator.sdk.serialization.encode import encode_dag

    stored = Dag.objects.filter(pk=options["dag_id"], latest_version__isnull=False).first()
    spec = encode_dag(dag_of(options)) if stored is None or options["bundle_name"] else stored_spec(stored)
    draw(command, as_dot(spec), options)


def _dependencies(command: AirflowCommand, options: Options) -> None:
    from dags_app.models import Dag
    from dags_app.selectors import SpecUnreadableError, spec_of
    from orchestrator.local_run.dot import links_as_dot

    links = []
    for dag_id, version in Dag.objects.active().exclude(latest_version=None).order_by("pk").values_list("pk", "latest_version"):
        try:
            links += spec_of(version).dependencies
        except SpecUnreadableError as error:
            command.stderr.write(f"{dag_id} is left out: {error}")
    draw(command, links_as_dot(links), options)


def draw(command: AirflowCommand, dot: str, options: Options) -> None:
    """Print DOT, write it to a file, or have Graphviz make a picture of it. Raises ``CommandError`` where that is missing."""
    file = options.get("save")
    if options.get("imgcat"):
        if file:
            raise CommandError("--save and --imgcat cannot go together: give one of them.")
        _imgcat(_picture(dot, "png"))
    elif file is None:
        command.stdout.write(dot)
    else:
        form = Path(file).suffix.lower()
        content = f"{dot}\n".encode() if form in SOURCES else _picture(dot, form.lstrip("."), file)
        try:
            Path(file).write_bytes(content)
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}") from None
        command.stdout.write(f"File {file} saved")


def _picture(dot: str, form: str, file: str = "the picture") -> bytes:
    program = shutil.which("dot")
    if program is None:
        raise CommandError(
            f"{file}: pictures need Graphviz (`apt-get install graphviz`). Save as .dot instead, "
            f"and turn that into a picture elsewhere with `dot -T{form or 'png'}`."
        )
    done = subprocess.run([program, f"-T{form}"], input=dot.encode(), capture_output=True, check=False)
    if done.returncode:
        raise CommandError(f"{file}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def _imgcat(picture: bytes) -> None:
    program = shutil.which("imgcat")
    if program is None:
        raise CommandError("--imgcat needs the program imgcat in PATH; use --save instead.")
    subprocess.run([program], input=picture, check=False)


SHOW = Action("show", "a DAG as a graph in the DOT language, or as a picture", _show, _show_arguments)
SHOW_DEPENDENCIES = Action("show-dependencies", "which DAGs and assets start which DAGs, as a graph", _dependencies, _arguments)
