"""A branch's floor between two tests: nobody waits, no window is open."""

from tests.browser.road import Road


def clear(road: Road) -> None:
    """Send everybody home and close every window."""
    branch = f"/queue/v1/branches/{road.unit}"
    for window in road.send("GET", f"{branch}/windows", "branch_manager")["items"]:
        if window["visit"]:
            visit = road.send("GET", f"/queue/v1/visits/{window['visit']}", "branch_manager")
            verbs = ("finish",) if visit["status"] == "serving" else ("no-show",)
            for verb in verbs:
                road.send("POST", f"/queue/v1/visits/{visit['id']}/{verb}", "branch_manager")
        if window["state"] != "closed":
            road.send("POST", f"{branch}/windows/{window['no']}/close", "branch_manager")
    while waiting := road.send("GET", f"{branch}/waiting", "branch_manager")["items"]:
        for one in waiting:
            road.send("POST", f"/queue/v1/visits/{one['id']}/leave", "branch_manager")


def fill(road: Road, people: int) -> list[str]:
    """A hall of ``people``, of every service and class in turn; their numbers."""
    services = ("cash", "account", "cash", "wealth", "fx", "cash", "corporate")
    classes = ("ordinary", "ordinary", "care", "ordinary", "vip")
    numbers = []
    for number in range(people):
        body = {"service": services[number % 7], "class": classes[number % 5]}
        ticket = road.send("POST", f"/queue/v1/branches/{road.unit}/tickets", "kiosk", json=body)
        numbers.append(ticket["number"])
    return numbers
