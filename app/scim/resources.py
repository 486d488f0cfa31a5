"""The resources as SCIM describes them: what of a card a provisioning client can read and write, and what this service can do.

Reduced to what is kept: an attribute that is not here is taken and dropped, and ``/Schemas`` says so beforehand. Imported when the first
request comes, never at start-up, since building these models takes longer than opening the store (design/architecture.md).
"""

from typing import Annotated, Any, ClassVar, Final, cast

from pydantic import Field
from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    ComplexAttribute,
    ETag,
    ExtensibleStringEnum,
    Extension,
    Filter,
    Mutability,
    Patch,
    Reference,
    Required,
    Resource,
    ResourceType,
    Returned,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)

from app.scim.mapping import DIRECTORY, ENTERPRISE

MOST_RESULTS: Final = 200
MOST_OPERATIONS: Final = 200
"""Operations of one bulk request: on a busy machine they take most of a minute, which is as long as proxies wait."""
MOST_BYTES: Final = 1_048_576
"""Of a bulk request, where no less is taken of any."""
_READ_ONLY: Final = Mutability.read_only


class Name(ComplexAttribute):
    """The parts of a name; the directory keeps it whole, and parts it by how names are written."""

    family_name: str | None = None
    given_name: str | None = None


class Email(ComplexAttribute):
    """The office mail address."""

    class Type(ExtensibleStringEnum):
        """Of which kind."""

        work = "work"

    value: str | None = None
    type: Type | None = None


class PhoneNumber(ComplexAttribute):
    """The work mobile, or the telephone on the desk."""

    class Type(ExtensibleStringEnum):
        """Of which kind."""

        work = "work"
        mobile = "mobile"

    value: str | None = None
    type: Type | None = None


class User(Resource[Any]):
    """An employee, or somebody who works here for a time."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    name: Name | None = None
    display_name: str | None = None
    nick_name: str | None = None
    title: str | None = None
    user_type: Annotated[str | None, _READ_ONLY] = None
    active: bool | None = None
    emails: list[Email] | None = None
    phone_numbers: list[PhoneNumber] | None = None

    Name: ClassVar[type[ComplexAttribute]] = Name
    Emails: ClassVar[type[ComplexAttribute]] = Email
    PhoneNumbers: ClassVar[type[ComplexAttribute]] = PhoneNumber


class Superior(ComplexAttribute):
    """Another user."""

    value: str | None = None
    ref: Reference["User"] | None = Field(None, serialization_alias="$ref", validation_alias="$ref")


class EnterpriseUser(Extension):
    """Where somebody works."""

    __schema__ = URN(ENTERPRISE)

    employee_number: str | None = None
    department: str | None = None
    manager: Superior | None = None

    Manager: ClassVar[type[ComplexAttribute]] = Superior


class DirectoryUser(Extension):
    """What this directory knows beyond the standard; what a client cannot write, it is told when it asks by name."""

    __schema__ = URN(DIRECTORY)

    class WorkerKind(ExtensibleStringEnum):
        """Kind of employment."""

        regular = "regular"
        part_time = "part_time"
        intern = "intern"
        outsourced = "outsourced"

    short_number: Annotated[str | None, _READ_ONLY, Returned.request] = None
    extension: Annotated[str | None, _READ_ONLY, Returned.request] = None
    secrecy: Annotated[str | None, _READ_ONLY, Returned.request] = None
    worker_kind: WorkerKind | None = None
    dotted_manager: Superior | None = None

    DottedManager: ClassVar[type[ComplexAttribute]] = Superior


class GroupMember(ComplexAttribute):
    """Somebody who belongs to it."""

    value: Annotated[str | None, Mutability.immutable] = None
    ref: Annotated[Reference["User"] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User"])


class Group(Resource[Any]):
    """A department, which is read alone, or a tag."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true] = None
    members: list[GroupMember] | None = None

    Members: ClassVar[type[ComplexAttribute]] = GroupMember


def _config(most_bytes: int) -> ServiceProviderConfig:
    return ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=True, max_operations=MOST_OPERATIONS, max_payload_size=most_bytes),
        filter=Filter(supported=True, max_results=MOST_RESULTS),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=True),
        etag=ETag(supported=True),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="OAuth Bearer Token",
                description="A token of a service account with scope `scim`, from POST /oauth/token",
                primary=True,
            )
        ],
    )


def described(most_bytes: int = MOST_BYTES) -> ScimProvider:
    """Describe the service: users with both extensions, groups, and what is supported; read as tolerantly as Entra ID needs.

    ``most_bytes`` is what the service takes as a body.
    """
    return ScimProvider(
        [User, EnterpriseUser, DirectoryUser, Group],
        [
            ResourceType.from_resource(cast("Any", User)[EnterpriseUser | DirectoryUser]),
            ResourceType.from_resource(Group),
        ],
        _config(min(most_bytes, MOST_BYTES)),
        ScimPolicy(
            unknown=ScimPolicy.Unknown.ignore,
            remove_value_as_filter=ScimPolicy.RemoveValue.apply,
            unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
        ),
    )
