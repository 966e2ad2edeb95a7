"""Names of Python objects, ``"module:attribute"``, and what they stand for.

To follow one is to import its module, which runs that module's code.
"""

import importlib
import sys
from pathlib import Path
from typing import Any

from harness.errors import BadInput


def resolve(reference: Any) -> Any:
    """Import what ``reference`` names; the current folder is searched too. Raises BadInput."""
    if not isinstance(reference, str) or reference.count(":") != 1:
        raise BadInput(f'{reference!r:.200} names nothing: expected "module:attribute"')
    module, _, path = reference.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    try:
        found: Any = importlib.import_module(module)
        for attribute in path.split("."):
            found = getattr(found, attribute)
    except (Exception, SystemExit) as error:
        # The module is somebody else's code, which may fail in any way.
        raise BadInput(
            f"{reference!r:.200} cannot be imported: {type(error).__name__}: {error}; expected a "
            "module that can be imported here; run in the folder that holds it"
        ) from error
    return found
