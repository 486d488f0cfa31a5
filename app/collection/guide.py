"""The collection forms as callers are told them: nobody's data, the same for everybody, so rendered once."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from fastapi import Response

from app.contacts.fields import CATALOGUE
from app.contacts.forms import Form, Forms
from app.disclosure.fields import ProtectedField, PublicField
from app.disclosure.gate import Gate
from app.kit.dependencies import names_version
from app.permissions.outcomes import FieldClass


class FormGuide:
    """Tells what each kind of contact may carry."""

    def __init__(self, *, forms: Forms, gate: Gate) -> None:
        """Take the forms, and the gate, for the version."""
        told = {
            "items": [_form(forms, form) for form in forms.made.forms],
            "bases": [
                {"id": name, "clauses": list(each.clauses), "zh": each.zh, "en": each.en}
                for name, each in forms.made.bases.items()
            ],
            "forms": forms.label,
        }
        body = orjson.dumps(told)
        self._version = gate.version(body)
        self._body = b'%b,"version":"%b"}' % (body[:-1], self._version.encode())

    def told(self, *, known: str | None = None) -> Response:
        """Tell all forms; 304 when ``known`` (``If-None-Match``) names that."""
        headers = {"ETag": f'"{self._version}"', "Cache-Control": "private, no-cache", "Vary": "Authorization"}
        if known is not None and names_version(known, self._version):
            return Response(status_code=304, headers=headers)
        return Response(self._body, media_type="application/json", headers=headers)


def _form(forms: Forms, form: Form) -> dict[str, Any]:
    kept = form.retention
    return {
        "kind": form.kind,
        "zh": form.zh,
        "en": form.en,
        "retention": None if kept is None else {"begins": kept.begins, "days": kept.days},
        "fields": list(_fields(forms, form)),
    }


def _fields(forms: Forms, form: Form) -> Iterator[Mapping[str, Any]]:
    every: tuple[PublicField | ProtectedField, ...] = (*CATALOGUE.public, *CATALOGUE.declared)
    for field in every:
        if form.kind not in field.kinds:
            continue
        basis = forms.basis(form.kind, field.name)
        if basis is not None:
            yield {
                "name": field.name,
                "zh": field.zh,
                "en": field.en,
                "class": (field.field_class if isinstance(field, ProtectedField) else FieldClass.C1).value,
                "basis": basis,
                "required": field.name in form.required,
                "collected": forms.collects(form.kind, field.name),
            }
