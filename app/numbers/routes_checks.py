"""HTTP face of trying numbers against the plan before anything is done."""

from app.disclosure.view import Disclosed, disclosed_response
from app.kit.errors import Invalid, NotFound
from app.kit.problems import responses
from app.kit.routing import GuardedRouter
from app.numbers.access import LOOK_PROBLEMS, NumbersRead, Validator
from app.numbers.checking_schemas import ValidationCreate, ValidationView
from app.numbers.errors import UnknownDomain

router = GuardedRouter(prefix="/v1", tags=["number plan"])


@router.post(
    "/number-validations",
    summary="Try a list of numbers",
    response_model=None,
    responses={
        **disclosed_response(ValidationView, "One result per number"),
        **responses(*LOOK_PROBLEMS, Invalid, NotFound, UnknownDomain),
    },
)
async def validate_numbers(
    viewer: NumbersRead, validator: Validator, body: ValidationCreate
) -> Disclosed[ValidationView]:
    """Tell every verdict on each of up to 1,000 numbers; nothing is held and nothing changed.

    `prefix_of` and `extends` are errors where sets dial digit by digit (`overlap`) and warnings elsewhere. A `number` that one collides
    with is shown as `GET /v1/numbers/{digits}` shows it to the caller.
    """
    return await validator.validate(viewer, body)
