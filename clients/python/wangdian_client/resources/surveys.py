"""The surveys service: what customers think of a visit."""

from collections.abc import Mapping

from wangdian_client.calls import Call, path
from wangdian_client.models.surveys import Invitation, InvitationView, Response
from wangdian_client.resources.base import Resource, X, operation


class Invitations(Resource[X]):
    """Invitations (邀请), made by the system for each completed visit."""

    name = "surveys.invitations"

    @operation
    def for_visit(self, visit: str) -> Call[Invitation]:
        """The invitation of a visit. Raises `NotFound` until the system has made it, shortly after the visit's end."""
        return Call(method="GET", path=path("/surveys/v1/visits/{}/invitation", visit))

    @operation
    def get(self, token: str) -> Call[InvitationView]:
        """The questionnaire for the holder of the token; no bearer token is sent."""
        return Call(method="GET", path=path("/surveys/v1/invitations/{}", token), anonymous=True)


class Responses(Resource[X]):
    """Responses (评价) of customers."""

    name = "surveys.responses"

    @operation
    def submit(self, token: str, answers: Mapping[str, int], *, idempotency_key: str | None = None) -> Call[Response]:
        """Answer once: a score for each item, by its code. Raises `Conflict` if the token was used before."""
        return Call(
            method="POST",
            path=path("/surveys/v1/invitations/{}/response", token),
            json={"answers": dict(answers)},
            key=idempotency_key,
            anonymous=True,
        )


class Surveys(Resource[X]):
    """`client.surveys`."""

    def __init__(self, runner: X) -> None:
        super().__init__(runner)
        self.invitations = Invitations(runner)
        self.responses = Responses(runner)
