"""Which handler does which kind of outbox work."""

from collections.abc import Mapping
from typing import Final

from app.contacts.jobs import FORGET_RECEIPTS, forget_receipts
from app.kit.outbox import Handler
from app.numbers.jobs import MATERIALISE, materialise

HANDLERS: Final[Mapping[str, Handler]] = {FORGET_RECEIPTS: forget_receipts, MATERIALISE: materialise}
