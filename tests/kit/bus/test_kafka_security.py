"""A Kafka with TLS, SCRAM and ACLs: who may comes in, and who may not is told so, loudly and with the cause."""

import pytest

from shared.bus.base import BusForbidden, BusUnavailable, Message
from shared.bus.kafka.bus import KafkaBus
from shared.bus.kafka.connection import BusRefused, KafkaConnection
from shared.bus.kafka.topics import create
from shared.settings import Settings
from shared.testing.certificates import write_certificates
from shared.testing.secured import secured_kafka_server
from shared.topics import Topic

USERS = {"admin": "correct horse", "queue": "battery staple"}


@pytest.fixture(scope="module")
def secured():
    """(address, authority) of a server with the users above and no ACL at all."""
    with secured_kafka_server(USERS) as found:
        yield found.bootstrap, found.ca


def connection(secured, user="admin", password=None, ca=None, security="SASL_SSL"):
    """As the settings make it."""
    address, authority = secured
    return KafkaConnection(address, security=security, ca=ca or authority, user=user, password=password or USERS[user])


async def send(bus, topic="secured.events"):
    """One message; its outcome."""
    return (await bus.publish([Message(topic, "a", {"n": "1"}, b"1")]))[0]


@pytest.fixture
async def opened():
    """Opens buses and closes them."""
    buses = []

    async def make(link):
        bus = KafkaBus(link)
        buses.append(bus)
        await bus.open()
        return bus

    yield make
    for bus in buses:
        await bus.close()


async def nothing(sources):
    """No stored position."""
    return {}


async def test_the_right_password_sends_and_reads(secured, opened):
    link = connection(secured)
    await create(link, [Topic("secured.events", 3, 14)])
    bus = await opened(link)
    assert await send(bus) is None
    member = await bus.subscribe("g", ["secured.events"], nothing)
    assert [len(batch.records) for batch in await member.fetch(limit=10, wait=5)] == [1]


async def test_a_wrong_password_refuses_to_start_and_names_the_cause(secured, opened):
    with pytest.raises(BusRefused, match=r"SaslAuthenticationFailed|Authentication failed") as refusal:
        await opened(connection(secured, password="wrong one"))
    assert "wrong one" not in str(refusal.value)


async def test_an_unknown_authority_refuses_to_start(secured, opened, tmp_path):
    stranger = write_certificates(tmp_path, "localhost") / "ca.pem"
    with pytest.raises(BusRefused, match="CERTIFICATE_VERIFY_FAILED"):
        await opened(connection(secured, ca=stranger))


async def test_a_certificate_of_another_name_refuses_to_start(secured, opened):
    address = secured[0].replace("localhost", "127.0.0.1")
    with pytest.raises(BusRefused, match="IP address mismatch"):
        await opened(connection((address, secured[1])))


async def test_plaintext_to_a_tls_port_starts_but_says_why_nothing_goes(secured, opened, caplog):
    bus = await opened(connection(secured, security="PLAINTEXT"))
    assert isinstance(await send(bus), BusUnavailable)


async def test_who_has_no_right_is_told_by_every_message(secured, opened):
    await create(connection(secured), [Topic("secured.events", 3, 14)])
    bus = await opened(connection(secured, user="queue"))
    outcome = await send(bus)
    assert isinstance(outcome, BusForbidden)
    with pytest.raises(BusForbidden, match=r"not authorised to see secured\.events"):
        await bus.subscribe("g", ["secured.events"], nothing)


def test_the_password_is_in_no_text_about_the_settings(monkeypatch):
    monkeypatch.setenv("WANGDIAN_KAFKA_PASSWORD", "battery staple")
    settings = Settings()
    assert settings.kafka_password.get_secret_value() == "battery staple"
    assert "battery staple" not in f"{settings!r} {settings}"


def test_scram_without_a_password_is_refused():
    with pytest.raises(ValueError, match="WANGDIAN_KAFKA_PASSWORD"):
        Settings(
            mode="distributed",
            database_url="postgresql://x",
            kafka="x:1",
            jwks="x",
            kafka_security="SASL_SSL",
            kafka_user="q",
        )
