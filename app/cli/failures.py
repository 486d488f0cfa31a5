"""What a command says when it cannot, in English and Chinese where it is a problem of ours, and exit code 2.

One line; what production refuses has one line each.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import yaml
from pydantic import ValidationError
from pydantic_settings import SettingsError

from app.kit.errors import Problem
from app.kit.lock import StoreIsServedError
from app.production import ProductionRefused


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
    except SettingsError as error:
        _stop(f"settings: {error}")
    except yaml.YAMLError as error:
        _stop(f"settings: DUANHAO_CONFIG is no YAML ({type(error).__name__})")
    except ProductionRefused as refused:
        _stop(*(each.line() for each in refused.refusals))
    except (StoreIsServedError, OSError) as error:
        _stop(str(error))


def _stop(*lines: str) -> None:
    sys.stderr.writelines(f"duanhao: {line}\n" for line in lines)
    raise SystemExit(2)
