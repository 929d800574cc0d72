"""When the webhook's certificate is renewed, and who is trusted meanwhile."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from operators.core.admission.certificate import (
    RECENT,
    Authority,
    Serving,
    Unusable,
    rotating,
    server_names,
    trusting,
    why_due,
)
from tests.support.builders import NOW

NAMES = server_names("webhook", "kopfwerk-system")
LIFE = timedelta(days=90)


def authority(name: str, *, age: timedelta = RECENT) -> Authority:
    """Return an authority of that age with 90 days to live in all."""
    return Authority(name, NOW - age, NOW - age + LIFE)


def serving(age: timedelta, *names: str) -> Serving:
    """Return a certificate of that age, for the Service's names unless others are given."""
    by = authority("present", age=age)
    return Serving(frozenset(names or NAMES), by.issued, by.expires, by)


def test_names() -> None:
    """Whoever asks for the Service in the cluster asks by one of these."""
    assert NAMES == ("webhook.kopfwerk-system.svc", "webhook.kopfwerk-system.svc.cluster.local")


OLD = "two thirds of the old one's life were over"


@pytest.mark.parametrize(
    ("found", "want", "want_where_it_may_wait"),
    [
        pytest.param(serving(timedelta(0)), "", "", id="new"),
        pytest.param(serving(timedelta(days=60, seconds=-1)), "", "", id="a second less than two thirds"),
        pytest.param(serving(timedelta(days=60)), OLD, "", id="two thirds"),
        pytest.param(serving(timedelta(days=90, seconds=-1)), OLD, "", id="the last second"),
        pytest.param(serving(LIFE), "the old one had expired", "the old one had expired", id="expired"),
        pytest.param(Unusable("there was none"), "there was none", "there was none", id="none"),
        pytest.param(serving(timedelta(0), *NAMES, "another"), "", "", id="names beyond ours"),
        pytest.param(
            serving(timedelta(0), NAMES[0]),
            f"the old one was not for {NAMES[1]}",
            f"the old one was not for {NAMES[1]}",
            id="a name is missing",
        ),
    ],
)
def test_why_due(found: Serving | Unusable, want: str, want_where_it_may_wait: str) -> None:
    """A certificate is renewed in time; one that merely grows old waits for who can have the new one trusted first."""
    assert why_due(found, NAMES, NOW, may_wait=False) == want
    assert why_due(found, NAMES, NOW, may_wait=True) == want_where_it_may_wait


@pytest.mark.parametrize(
    ("bundle", "want"),
    [
        pytest.param([], ["present"], id="a new configuration"),
        pytest.param(["present"], ["present"], id="it is there"),
        pytest.param(["new", "present"], ["new", "present"], id="beside another"),
        pytest.param(["other"], ["present", "other"], id="nobody's trust is taken away"),
    ],
)
def test_trusting(bundle: list[str], want: list[str]) -> None:
    """While nothing is due, the authority of what is served is in the bundle."""
    wanted = trusting([authority(name) for name in bundle], authority("present"))
    assert [each.pem for each in wanted] == want


PRESENT, NEW = authority("present", age=timedelta(days=60)), authority("new", age=timedelta(0))
OLDEST = authority("oldest", age=timedelta(days=80))


@pytest.mark.parametrize(
    ("bundle", "present", "want"),
    [
        pytest.param([], None, ["new"], id="the first"),
        pytest.param([PRESENT], PRESENT, ["new", "present"], id="renewal"),
        pytest.param([PRESENT, OLDEST], PRESENT, ["new", "present"], id="the oldest drops out"),
        pytest.param([], PRESENT, ["new", "present"], id="a configuration that trusts nobody yet"),
        pytest.param(
            [authority("rival", age=timedelta(minutes=1)), PRESENT],
            PRESENT,
            ["new", "present", "rival"],
            id="another run is about to write",
        ),
        pytest.param(
            [authority("died", age=RECENT), PRESENT], PRESENT, ["new", "present"], id="another run died long ago"
        ),
        pytest.param([PRESENT, OLDEST], None, ["new", "present", "oldest"], id="Secret gone: served from memory"),
        pytest.param([replace(OLDEST, expires=NOW)], None, ["new"], id="Secret gone: expired"),
        pytest.param([NEW, PRESENT], PRESENT, ["new", "present"], id="no authority twice"),
    ],
)
def test_rotating(bundle: list[Authority], present: Authority | None, want: list[str]) -> None:
    """New and present are trusted, and whoever else may be served by now."""
    assert [each.pem for each in rotating(bundle, present, NEW, NOW)] == want


def test_what_is_served_is_always_trusted() -> None:
    """Over many renewals and deaths the bundle has what replicas may serve, and does not grow."""
    now: datetime = NOW
    bundle: list[Authority] = []
    present: Authority | None = None
    for number in range(20):
        new = Authority(str(number), now, now + LIFE)
        bundle = rotating(bundle, present, new, now)
        assert new in bundle
        assert present is None or present in bundle
        assert len(bundle) <= 3
        if number % 3:  # else this run dies before it writes the Secret, and the next one comes after an hour
            present, now = new, now + LIFE * 2 / 3
        else:
            now += timedelta(hours=1)
