"""What the surveys service is made of."""

from services.surveys.base import Base
from services.surveys.invitations import contacts, loops
from services.surveys.invitations.api import router as invitations
from services.surveys.invitations.handlers import invite
from services.surveys.questionnaires.api import router as questionnaires
from services.surveys.responses.api import router as responses
from services.surveys.responses.pages import router as response_pages
from services.surveys.scores.api import router as scores
from shared.spec import LoopSpec, ServiceSpec

SPEC = ServiceSpec(
    name="surveys",
    routers=(questionnaires, invitations, responses, scores),
    metadata=Base.metadata,
    migrations="services.surveys.migrations",
    produces=("surveys.events",),
    handlers=(invite,),
    pages=(response_pages,),
    loops=(
        LoopSpec("contacts", contacts.make_turn, interval=2.0),
        LoopSpec("invitations", loops.make_turn, interval=5.0),
    ),
)
