"""The staff service: who may work where."""

from wangdian_client.calls import Call, Listing, path
from wangdian_client.models.staff import NewPerson, NewQualification, NewUnit, Person, Qualification, Unit
from wangdian_client.resources.base import Resource, X, listing, operation


class Units(Resource[X]):
    """The organisation (机构) from head office to branch."""

    name = "staff.units"

    @listing
    def list(self, *, limit: int | None = None) -> Listing[Unit]:
        """All units inside the token's part of the tree."""
        return Listing("/staff/v1/units", limit=limit)

    @operation
    def create(self, unit: NewUnit, *, idempotency_key: str | None = None) -> Call[Unit]:
        """Create a unit below its parent."""
        return Call(method="POST", path="/staff/v1/units", json=unit, key=idempotency_key)


class People(Resource[X]):
    """Members of staff (人员)."""

    name = "staff.people"

    @listing
    def list(self, *, unit: str | None = None, limit: int | None = None) -> Listing[Person]:
        """The people of a unit; names are masked."""
        return Listing("/staff/v1/people", {"unit": unit}, limit)

    @operation
    def create(self, person: NewPerson, *, idempotency_key: str | None = None) -> Call[Person]:
        """Create a member of staff in a unit."""
        return Call(method="POST", path="/staff/v1/people", json=person, key=idempotency_key)


class Qualifications(Resource[X]):
    """What a person may do (资质)."""

    name = "staff.qualifications"

    @listing
    def list(self, person: str, *, limit: int | None = None) -> Listing[Qualification]:
        """The qualifications of a person, revoked and expired ones included."""
        return Listing(path("/staff/v1/people/{}/qualifications", person), limit=limit)

    @operation
    def grant(
        self, person: str, qualification: NewQualification, *, idempotency_key: str | None = None
    ) -> Call[Qualification]:
        """Grant a person a qualification."""
        target = path("/staff/v1/people/{}/qualifications", person)
        return Call(method="POST", path=target, json=qualification, key=idempotency_key)


class Staff(Resource[X]):
    """`client.staff`."""

    def __init__(self, runner: X) -> None:
        super().__init__(runner)
        self.units = Units(runner)
        self.people = People(runner)
        self.qualifications = Qualifications(runner)
