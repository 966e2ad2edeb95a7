"""Names of Python objects, ``"module:attribute"``, and what they stand for."""

import importlib
import sys
from pathlib import Path
from typing import Any

from harness.errors import BadInput


def resolve(reference: Any) -> Any:
    """Import what ``reference`` names; the current folder is searched too. Raises BadInput."""
    if not isinstance(reference, str) or reference.count(":") != 1:
        raise BadInput(f'{reference!r} names nothing: expected "module:attribute"')
    module, _, path = reference.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    try:
        found: Any = importlib.import_module(module)
        for attribute in path.split("."):
            found = getattr(found, attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise BadInput(
            f"{reference!r} cannot be imported: {error}; run in the folder that holds it"
        ) from error
    return found
