"""Decides how static files are served: from the collected folder where it exists, else from the sources."""

import os
from typing import Any

from whitenoise.middleware import WhiteNoiseMiddleware


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise that takes a missing folder for what it is: nothing collected yet."""

    def add_files(self, root: Any, prefix: str | None = None) -> None:
        if os.path.isdir(root):
            super().add_files(root, prefix=prefix)
