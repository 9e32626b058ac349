"""Decides which files of npm packages the pages use, and copies them with their licences: ``make vendor``.

Node is needed only for this; the copies are committed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent.parent / "static" / "vendor"
# package -> {file in it: name of the copy}; licences are copied beside them.
FILES = {
    "htmx.org": {"dist/htmx.min.js": "htmx.min.js"},
    "idiomorph": {"dist/idiomorph-ext.min.js": "idiomorph-ext.min.js"},
    "elkjs": {"lib/elk-api.js": "elk-api.js", "lib/elk-worker.min.js": "elk-worker.min.js"},
}


def vendor() -> None:
    """Install what ``package.json`` pins, without its scripts, and copy what the pages use."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(FOLDER / name, folder)
        subprocess.run(["npm", "ci", "--ignore-scripts", "--silent"], cwd=folder, check=True)
        copy_from(Path(folder) / "node_modules")


def copy_from(modules: Path) -> None:
    """Copy the files, the licences and the icons, and write the manifest."""
    made = {}
    for package, files in FILES.items():
        facts = json.loads((modules / package / "package.json").read_text())
        for source, name in files.items():
            shutil.copy(modules / package / source, FOLDER / name)
            made[name] = _entry(package, facts, FOLDER / name)
        _licence(modules / package, package)
    icons = modules / "@tabler/icons"
    (FOLDER / "icons.svg").write_text(sprite(icons / "icons"))
    made["icons.svg"] = _entry("@tabler/icons", json.loads((icons / "package.json").read_text()), FOLDER / "icons.svg")
    _licence(icons, "tabler-icons")
    (FOLDER / "manifest.json").write_text(json.dumps(made, indent=2, sort_keys=True) + "\n")


def sprite(folder: Path) -> str:
    """Return one SVG with a symbol per icon; it takes its colour from the text around it."""
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "".join(_symbol(folder, name) for name in _names()) + "</svg>\n"


def _names() -> list[str]:
    """The icons that pages use, a name a line."""
    return (FOLDER / "icons.txt").read_text().split()


def _symbol(folder: Path, name: str) -> str:
    is_filled = name.endswith("-filled")
    file = folder / ("filled" if is_filled else "outline") / f"{name.removesuffix('-filled')}.svg"
    inner = re.sub(r"<!--.*?-->", "", file.read_text(), flags=re.S)
    body = "".join(line.strip() for line in inner[inner.index(">") + 1 : inner.rindex("</svg>")].splitlines())
    look = 'fill="currentColor"' if is_filled else 'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"'
    return f'<symbol id="{name}" viewBox="0 0 24 24" {look}>{body}</symbol>\n'


def _entry(package: str, facts: dict[str, str], path: Path) -> dict[str, str]:
    digest = base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()
    return {"package": package, "version": facts["version"], "licence": facts["license"], "sha384": digest}


def _licence(folder: Path, name: str) -> None:
    found = next((path for path in sorted(folder.iterdir()) if path.name.lower().startswith("licen")), None)
    if found is None:
        raise FileNotFoundError(f"{folder} has no licence file; nothing of it may be copied without one")
    shutil.copy(found, FOLDER / f"{name.replace('/', '-')}.LICENSE.txt")


if __name__ == "__main__":
    vendor()
