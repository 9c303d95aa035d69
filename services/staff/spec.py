"""What the staff service is made of."""

from services.staff.base import Base
from services.staff.documents.pages import router as documents
from services.staff.home.api import router as sessions
from services.staff.home.pages import router as home
from services.staff.organisation.api import router as organisation
from services.staff.people.api import router as people
from services.staff.qualifications.api import router as qualifications
from shared.spec import ServiceSpec

SPEC = ServiceSpec(
    name="staff",
    routers=(organisation, people, qualifications, sessions),
    metadata=Base.metadata,
    migrations="services.staff.migrations",
    produces=("staff.directory",),
    directory=False,
    pages=(home, documents),
    keeps_sessions=True,
)
