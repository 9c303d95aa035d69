"""The states of a window and the gate of qualifications, as pure rules."""

from services.queue.windows.rules import MOVES, WindowState, allowed, missing


def test_each_state_allows_what_it_should():
    assert {state.value: sorted(allowed(state)) for state in WindowState} == {
        "closed": ["open"],
        "open": ["break", "call-next", "close"],
        "break": ["close", "resume"],
    }
    assert all(after not in before for before, after in MOVES.values())


def test_what_is_missing_is_named_per_service():
    required = {"cash": "counter", "wealth": "wealth", "fx": "fxdesk", "info": None}
    assert missing(required, {"counter", "wealth", "fxdesk"}, set()) == {}
    assert missing(required, {"counter"}, {"wealth"}) == {"fx": "fxdesk"}
    assert missing(required, set(), set()) == {"cash": "counter", "wealth": "wealth", "fx": "fxdesk"}
    assert missing({"info": None}, set(), set()) == {}
