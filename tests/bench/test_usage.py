"""What the benchmark reads off the apiserver."""

from tests.bench import usage

METRICS = """\
# TYPE apiserver_request_total counter
apiserver_request_total{code="201",group="",resource="pods",subresource="",verb="POST"} 5
apiserver_request_total{code="200",group="",resource="pods",subresource="status",verb="PATCH"} 7
apiserver_request_total{code="200",group="",resource="pods",subresource="status",verb="PATCH",dry_run="All"} 1
apiserver_request_total{code="0",group="",resource="pods",subresource="",verb="WATCH"} 9
apiserver_request_total{code="200",group="",resource="pods",subresource="",verb="GET"} 9
apiserver_request_terminations_total{code="201",resource="pods",subresource="",verb="POST"} 2
"""


def test_writes_are_counted_by_what_they_were() -> None:
    """Each answered write counts once, with its answer; reads do not."""
    assert usage.writes(METRICS) == {"POST pods 201": 5, "PATCH pods/status 200": 8}
