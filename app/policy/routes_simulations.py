"""HTTP face of simulations: what another pack would give and take, asked as a job and told in counts."""

from uuid import UUID

from fastapi import Response

from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import OnceKey, Unit
from app.kit.errors import NotFound
from app.kit.idempotency import IdempotencyInProgress, IdempotencyKeyReused
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.permissions.jobs import TooManyJobs
from app.policy.access import LOOK_PROBLEMS, WRITE_PROBLEMS, Desk, GovernanceRead, PolicyAsk
from app.policy.errors import BadPolicyPack, UnknownPolicyVersion
from app.policy.keeping import SIMULATIONS
from app.policy.schemas import SimulationCreate, SimulationReceipt, SimulationView

router = GuardedRouter(prefix="/v1/policy/simulations", tags=["policy"])


@router.post(
    "",
    summary="Simulate a policy",
    status_code=202,
    response_model=None,
    responses={
        202: {"model": SimulationReceipt, "description": "A job works on it"},
        **responses(
            *WRITE_PROBLEMS,
            UnknownPolicyVersion,
            BadPolicyPack,
            TooManyJobs,
            IdempotencyKeyReused,
            IdempotencyInProgress,
        ),
    },
)
async def simulate_policy(
    viewer: PolicyAsk, desk: Desk, unit: Unit, body: SimulationCreate, idempotency_key: OnceKey = None
) -> Response:
    """Ask what would change, for whom, if a candidate were in force instead. Nothing changes.

    The answer counts pairs of viewers and contacts, names gains of high risk, and is bound to both packs by their digests.
    """
    return receipt_response(await desk.keeper.simulate(viewer, unit, idempotency_key, body), SIMULATIONS)


@router.get(
    "/{id}",
    summary="Read a simulation",
    response_model=None,
    responses={**disclosed_response(SimulationView, "The simulation"), **responses(*LOOK_PROBLEMS, NotFound)},
)
async def read_simulation(viewer: GovernanceRead, desk: Desk, id: UUID) -> Disclosed[SimulationView]:
    """Show gained and lost by role, class and cohort, once the job is done; counts, and no value of anybody."""
    return await desk.reader.simulation(viewer, id)
