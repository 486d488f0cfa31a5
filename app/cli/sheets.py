"""What ``duanhao emergency`` does: keys in a file, a sheet opened away from the service, and its records brought back.

Opening works with nothing but the sheet, the key and a reason. The record of it is written and on disk before a line of the sheet is
printed; where it cannot be written nothing is printed.
"""

import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from app.cli.calling import Caller, CallStopped
from app.cli.keyfiles import Stopped, read, stopped, write_new
from app.cli.numbering import Service
from app.crypto.parcels import NotOpened
from app.emergency.sealing import NOTHING_BEFORE, CustodianKeys, OpenedSheet, hash_of
from app.kit.models import new_id

DONE: Final = 0
LEAST_REASON: Final = 4
MOST_REASON: Final = 500
MOST_AT_ONCE: Final = 200

_PRIVATE: Final = 0o600
_LABELS: Final = {
    "office_phone": "office 座机",
    "mobile": "mobile 手机",
    "email": "mail 邮箱",
    "short_numbers": "short 短号",
    "extension": "ext. 分机",
}


def make_keys(file: Path) -> int:
    """Write a new key file that nobody else may read, and print the public key. Never over a file that is there."""
    keys = CustodianKeys.new()
    try:
        write_new(file, keys.secret_text())
    except Stopped as refusal:
        return stopped(str(refusal))
    sys.stdout.write(keys.public_text() + "\n")
    return DONE


def open_sheet(file: Path, key: Path, reason: str, records: Path, *, as_json: bool) -> int:
    """Open a sheet for a reason: put the record on disk, then print the sheet; give the exit code."""
    try:
        why = _reason(reason)
        keys = CustodianKeys.read(read(key).decode("ascii", "replace"))
        sheet = keys.open(read(file))
        _record(keys, sheet, why, records)
    except (Stopped, NotOpened) as refusal:
        return stopped(str(refusal))
    if as_json:
        sys.stdout.write(json.dumps(sheet.content, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("\n".join(_lines(sheet)) + "\n")
        sys.stderr.write(f"duanhao: recorded in {records}; bring it back with: duanhao emergency upload {records}\n")
    return DONE


def upload(service: Service, records: Path) -> int:
    """Send the records of a file, sheet by sheet; give the exit code. What was sent before changes nothing."""
    taken = known = gaps = 0
    try:
        lines = [line for line in read(records).decode("utf-8").split("\n") if line.strip()]
        with service.connect(service.url) as client:
            caller = Caller(client, service.credentials, scope="approvals:use", sleep=service.sleep)
            for sheet, theirs in _by_sheet(lines).items():
                for at in range(0, len(theirs), MOST_AT_ONCE):
                    body = {"records": theirs[at : at + MOST_AT_ONCE]}
                    answer = caller.post(f"/v1/emergency-sheets/{sheet}/openings", body).json()
                    taken, known, gaps = taken + answer["taken"], known + answer["known"], gaps + answer["gaps"]
    except (Stopped, CallStopped, UnicodeDecodeError) as refusal:
        return stopped(str(refusal))
    sys.stdout.write(f"{taken} uploaded 已上传, {known} known 已存在, {gaps} gaps 断链\n")
    return DONE


def _by_sheet(lines: Iterable[str]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for number, line in enumerate(lines, start=1):
        try:
            found[str(orjson.loads(line)["sheet"])].append(line)
        except (ValueError, TypeError, KeyError):
            message = f"line {number} is no opening record; nothing after it was sent"
            raise Stopped(message) from None
    return found


def _reason(given: str) -> str:
    why = given.strip()
    if not LEAST_REASON <= len(why) <= MOST_REASON:
        message = f"--reason: say in {LEAST_REASON} to {MOST_REASON} characters why 请填写开启理由"
        raise Stopped(message)
    return why


def _record(keys: CustodianKeys, sheet: OpenedSheet, reason: str, records: Path) -> None:
    """Append the record of this opening and wait until it is on disk."""
    try:
        before = records.read_bytes() if records.exists() else b""
        last = next((line for line in reversed(before.split(b"\n")) if line), None)
        previous = NOTHING_BEFORE if last is None else hash_of(last)
        line = keys.record(sheet, reason, identity=new_id(), at=datetime.now(UTC), previous=previous)
        handle = os.open(records, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _PRIVATE)
        with os.fdopen(handle, "ab") as written:
            written.write((b"" if not before or before.endswith(b"\n") else b"\n") + line + b"\n")
            written.flush()
            os.fsync(written.fileno())
    except OSError as error:
        message = f"{records}: {error.strerror}; what is not recorded is not shown"
        raise Stopped(message) from None


def _lines(sheet: OpenedSheet) -> Iterable[str]:
    content = sheet.content
    yield f"Emergency sheet 应急联系单 · {content['day']} · {content['watermark']}"
    yield "Only for the emergency that you gave as your reason 仅限所述应急用途"
    for each in content["people"]:
        place = (each.get("department") or {}).get("name", "")
        numbers = {"short_numbers": " ".join(each.get("short_numbers") or []), "extension": each.get("extension")}
        told = {**{name: value for name, value in numbers.items() if value}, **each["fields"]}
        yield ""
        yield " · ".join(filter(None, (each.get("name"), each.get("title"), place)))
        for name, value in told.items():
            yield f"  {_LABELS.get(name, name)}: {_text(value)}"


def _text(value: Any) -> str:  # noqa: ANN401 — what a card shows
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
