"""The scenarios of the custom resources once more, with ordinary Deployments, StatefulSets, DaemonSets and Jobs.

Left out is what has no built-in counterpart or is the apiserver's own there: PodProbes, Services of ours, admission.
"""

from tests.e2e.side_by_side.test_autoscaler import metered, test_by_memory
from tests.e2e.side_by_side.test_cronjob import test_each_minute
from tests.e2e.side_by_side.test_daemonset import test_one_pod_on_each_node
from tests.e2e.side_by_side.test_deletion import test_cascade, test_namespace, test_orphans_are_adopted_again
from tests.e2e.side_by_side.test_deployment import (
    test_configuration_through_the_template,
    test_rollback,
    test_rolling_update_without_a_failed_request,
)
from tests.e2e.side_by_side.test_drain import test_drain_within_a_disruption_budget
from tests.e2e.side_by_side.test_job import (
    test_a_deleted_pod,
    test_an_evicted_pod,
    test_an_index_that_fails,
    test_completions,
    test_deadline,
    test_deleted_after_its_end,
    test_deletion,
    test_exit_codes,
    test_indexes,
    test_restarts_count,
    test_suspend_and_resume,
    test_taking_on_the_pods_of_another,
)
from tests.e2e.side_by_side.test_statefulset import test_name_address_and_data_stay

__all__ = [
    "metered",
    "test_a_deleted_pod",
    "test_an_evicted_pod",
    "test_an_index_that_fails",
    "test_by_memory",
    "test_cascade",
    "test_completions",
    "test_configuration_through_the_template",
    "test_deadline",
    "test_deleted_after_its_end",
    "test_deletion",
    "test_drain_within_a_disruption_budget",
    "test_each_minute",
    "test_exit_codes",
    "test_indexes",
    "test_name_address_and_data_stay",
    "test_namespace",
    "test_one_pod_on_each_node",
    "test_orphans_are_adopted_again",
    "test_restarts_count",
    "test_rollback",
    "test_rolling_update_without_a_failed_request",
    "test_suspend_and_resume",
    "test_taking_on_the_pods_of_another",
]
