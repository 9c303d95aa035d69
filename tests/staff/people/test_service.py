"""People are told without their names, and their names are not stored in clear."""

from shared.security.records import RecordKeys


async def test_a_person_is_told_without_the_name(bank, told):
    await bank.call("PATCH", "/staff/v1/people/T1", "head_office", json={"post": "lobby_manager"}, expect=200)
    states = [(sequence, data) for subject, sequence, data in await told() if subject == "T1"]
    assert states == [
        (1, {"person": "T1", "unit": "gz-1", "post": "teller", "active": True}),
        (2, {"person": "T1", "unit": "gz-1", "post": "lobby_manager", "active": True}),
    ]


async def test_no_name_is_stored_told_or_logged_in_clear(bank, tmp_path):
    await bank.settle()
    names = [name.encode() for name in ("李晓梅", "欧阳小明", "王强", "陈芳")]
    for file in tmp_path.rglob("*.sqlite3*"):
        content = file.read_bytes()
        assert not [name.decode() for name in names if name in content], file


async def test_a_change_that_changes_nothing_is_not_told(bank, told, audited):
    before = (await told(), len(await audited()))
    for same in ({}, {"post": "teller"}, {"unit": "gz-1", "active": True}):
        answer = await bank.call("PATCH", "/staff/v1/people/T1", "head_office", json=same, expect=200)
        assert answer.json()["version"] == 1
    assert (await told(), len(await audited())) == before


async def test_a_destroyed_name_is_gone_for_good(bank):
    runtime = bank.runtime("staff")
    keys = RecordKeys(runtime.keyring)
    await runtime.db.write(lambda uow: keys.forget(uow, "person", "T1"), actor="retention")
    answer = await bank.call("POST", "/staff/v1/people/T1/reveal", "head_office", json={"purpose": "hr"}, expect=410)
    assert answer.json()["code"] == "personal_data_destroyed"
    assert (await bank.call("GET", "/staff/v1/people/T1", "head_office", expect=200)).json()["name"] == "李*"
