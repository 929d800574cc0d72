"""Which pods a ReplicaSet gives up first: every rule by itself, the earlier ones before the later ones."""

import pytest

from operators.core.pods import Pod
from operators.core.replicaset.ranking import pods_to_delete
from tests.support.builders import NOW, pod


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(pod("a", node="", cost="9"), pod("b", cost="0"), id="no-node"),
        pytest.param(pod("a", phase="Pending", cost="9"), pod("b", phase="Unknown"), id="pending-before-unknown"),
        pytest.param(pod("a", phase="Unknown", cost="9"), pod("b", ready=None), id="unknown-before-running"),
        pytest.param(pod("a", ready=None, cost="9"), pod("b", cost="0"), id="unready"),
        pytest.param(pod("a", cost="-5", ready=3000), pod("b", cost="0", ready=30), id="lower-deletion-cost"),
        pytest.param(pod("a", cost="-5"), pod("b", cost="no number"), id="a-cost-that-is-no-number-is-0"),
        pytest.param(pod("a", ready=10, restarts=0), pod("b", ready=3000, restarts=9), id="ready-for-less-long"),
        pytest.param(pod("a", restarts=3, age=9000), pod("b", restarts=1, age=60), id="more-restarts"),
        pytest.param(pod("a", age=60), pod("b", age=9000), id="younger"),
        pytest.param(pod("a", ready=33), pod("b", ready=30), id="about-as-long-ready-by-uid"),
        pytest.param(pod("a", age=70), pod("b", age=69), id="about-as-old-by-uid"),
    ],
)
def test_one_pod_goes_before_another(first: Pod, second: Pod) -> None:
    """The pod that the rule names goes, in whichever order the two are given."""
    assert pods_to_delete([first, second], (), 1, NOW) == [first]
    assert pods_to_delete([second, first], (), 1, NOW) == [first]


def test_the_crowded_node_gives_first() -> None:
    """Pods of siblings count as well, and pods that have ended do not."""
    crowded, alone = pod("z", node="crowded"), pod("a", node="alone")
    related = [
        crowded,
        alone,
        pod("sibling", node="crowded"),
        *(pod(f"{i}", node="alone", phase="Failed") for i in "bcd"),
    ]
    assert pods_to_delete([alone, crowded], related, 1, NOW) == [crowded]


def test_deletion_cost_goes_before_the_spread() -> None:
    """A pod that its user holds cheap goes from an empty node before a dear one from a crowded node."""
    dear, cheap = pod("a", node="crowded", cost="5"), pod("b", node="alone", cost="1")
    assert pods_to_delete([dear, cheap], [dear, cheap, pod("c", node="crowded")], 1, NOW) == [cheap]


def test_all_may_go() -> None:
    """Where as many are to go as there are, none is kept."""
    assert len(pods_to_delete([pod("a"), pod("b")], (), 5, NOW)) == 2
