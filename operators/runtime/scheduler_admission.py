"""Gives new pods to Kopfwerk's scheduler by a webhook, on clusters whose apiserver cannot do it by a policy of its own.

Whatever goes wrong, the pod is placed by the default scheduler: failurePolicy is Ignore.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import kopf

from operators.core.admission.scheduler import CONDITIONS, is_given_away
from operators.core.objects import KOPFWERK
from operators.runtime.admission import Handler

ID: Final = "schedule"
"""The handler's, which is the path of its URL."""
NAME: Final = f"scheduling.{KOPFWERK}"


def register(registry: kopf.OperatorRegistry, scheduler: str) -> None:
    """Have Kopf ask about new pods, and give that scheduler those that are nobody else's."""
    ask = kopf.on.mutate("", "v1", "pods", id=ID, operations=["CREATE"], ignore_failures=True, registry=registry)
    ask(handler(scheduler))


def handler(scheduler: str) -> Handler:
    """Return what names the scheduler in a new pod."""

    async def give(body: Mapping[str, Any], patch: kopf.Patch, **_: object) -> None:
        """Look at one pod."""
        if is_given_away(dict(body)):
            patch.spec["schedulerName"] = scheduler

    return give


def configuration(client_config: Mapping[str, Any], excluded: Iterable[str] = ()) -> dict[str, Any]:
    """Return the MutatingWebhookConfiguration that asks about new pods, but for those of the excluded namespaces.

    `client_config` says where the webhook is: a URL with the CA in the embedded cluster, a Service in the chart.
    """
    expression = {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": list(excluded)}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": NAME},
        "webhooks": [
            {
                "name": NAME,
                "admissionReviewVersions": ["v1"],
                "clientConfig": dict(client_config),
                "failurePolicy": "Ignore",
                "matchConditions": [dict(condition) for condition in CONDITIONS],
                "namespaceSelector": {"matchExpressions": [expression]} if expression["values"] else {},
                "reinvocationPolicy": "Never",
                "rules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE"],
                        "resources": ["pods"],
                        "scope": "Namespaced",
                    }
                ],
                "sideEffects": "None",
                "timeoutSeconds": 5,
            }
        ],
    }
