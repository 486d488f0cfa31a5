"""What ``duanhao provisions`` does: a recipient's keys in a file, and a package opened away from the service, by whom it was made for."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from app.cli.keyfiles import Stopped, read, stopped, write_new
from app.crypto.parcels import NotOpened
from app.provisions.sealing import RecipientKeys, open_with_passphrase

DONE: Final = 0


def make_keys(file: Path) -> int:
    """Write a new key file that nobody else may read, and print the public key. Never over a file that is there."""
    keys = RecipientKeys.new()
    try:
        write_new(file, keys.secret_text())
    except Stopped as refusal:
        return stopped(str(refusal))
    sys.stdout.write(keys.public_text() + "\n")
    return DONE


def open_package(file: Path, *, key: Path | None, passphrase: str | None, as_json: bool) -> int:
    """Open a package with a key file or a passphrase and print it; give the exit code."""
    try:
        package = read(file)
        if key is not None:
            content = RecipientKeys.read(read(key).decode("ascii", "replace")).open(package)
        else:
            content = open_with_passphrase(passphrase or "", package)
    except (Stopped, NotOpened) as refusal:
        return stopped(str(refusal))
    told = json.dumps(content, ensure_ascii=False) if as_json else "\n".join(_lines(content))
    sys.stdout.write(told + "\n")
    return DONE


def _lines(content: dict[str, Any]) -> Iterable[str]:
    yield content["watermark"]
    yield f"Only for 仅限用途: {content['purpose']}"
    yield f"Return or destroy by 归还或销毁期限: {content['until']}"
    for each in content["people"]:
        yield ""
        yield each["name"]
        for name, value in each["fields"].items():
            yield f"  {name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
    yield ""
    yield f"{len(content['people'])} people 人, {content['left_out']} left out 未提供"
    yield content["watermark"]
