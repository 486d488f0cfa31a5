"""What a command says when it cannot: one line, in English and Chinese where it is a problem of ours, and exit code 2."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from app.kit.errors import Problem
from app.kit.lock import StoreIsServedError


@contextmanager
def explained() -> Iterator[None]:
    """Turn a failure that the operator can mend into a line and exit code 2; anything else keeps its traceback."""
    try:
        yield
    except Problem as problem:
        _stop(f"{problem.code}: {problem.detail} · {problem.detail_zh}")
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'settings'}: {fault['msg']}" for fault in error.errors()
        )
        _stop(f"settings: {faults}")
    except (StoreIsServedError, OSError) as error:
        _stop(str(error))


def _stop(line: str) -> None:
    sys.stderr.write(f"duanhao: {line}\n")
    raise SystemExit(2)
